package engineio

// SendOptions say how a frame is sent.
type SendOptions struct {
	// Volatile skips clients that cannot take the frame at once, instead of letting it
	// wait for them.
	Volatile bool
}

// Group is a set of sessions that is sent to as one, such as a room.
type Group struct{}

// Add adds a session: it gets every frame that this goroutine sends to the group from now
// on, and none that it sent before. Adding a member or a closed session does nothing; a
// session leaves its groups when it closes.
func (g *Group) Add(s *Session) {}

// Remove removes a session: it still gets what was sent before.
func (g *Group) Remove(s *Session) {}

// Send sends a frame to every member.
func (g *Group) Send(f *Frame, o SendOptions) {}

// Len is the number of members once all operations so far have been carried out.
func (g *Group) Len() int { return 0 }
