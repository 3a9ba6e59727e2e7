package engineio

import "testing"

// A frame may leave one member of a group out, alone in the queue or among others.
func TestSendExceptOneSession(t *testing.T) {
	ts := serve(t, Options{Shards: 2})
	group := ts.NewGroup()
	var clients []*socketClient
	var sessions []*Session
	for range 4 {
		clients = append(clients, ts.openSocket())
		s := ts.next().session
		group.Add(s)
		sessions = append(sessions, s)
	}
	const rounds = 50
	for range rounds {
		group.Send(NewFrame(text("but the first")), SendOptions{Except: sessions[0]})
		group.Send(NewFrame(text("but the last")), SendOptions{Except: sessions[3]})
		ts.SendTo(sessions, NewFrame(text("listed, but the first")), SendOptions{Except: sessions[0]})
		group.Send(NewFrame(text("all")), SendOptions{})
	}
	for i, c := range clients {
		for range rounds {
			if i != 0 {
				c.want("4but the first")
			}
			if i != 3 {
				c.want("4but the last")
			}
			if i != 0 {
				c.want("4listed, but the first")
			}
			c.want("4all")
		}
	}
}
