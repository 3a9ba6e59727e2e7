package cluster

import (
	"errors"

	"github.com/shelfcast/shelfcast/socketio"
)

// ServerSideEmit tells the other servers.
func (a *Adapter) ServerSideEmit(e socketio.ServerEmission) error {
	return a.publish("", message{Kind: kindServerSide}.withServerSide(e))
}

// Broadcast sends an event everywhere.
func (a *Adapter) Broadcast(e socketio.Emission) error {
	return errors.Join(a.local.Broadcast(e), a.publish("", message{Kind: kindBroadcast}.withEmission(e)))
}

// SocketsJoin makes sockets join rooms everywhere.
func (a *Adapter) SocketsJoin(audience socketio.Audience, rooms []string) error {
	return errors.Join(a.local.SocketsJoin(audience, rooms),
		a.publish("", message{Kind: kindJoin, Audience: &audience, Rooms: rooms}))
}

// SocketsLeave makes sockets leave rooms everywhere.
func (a *Adapter) SocketsLeave(audience socketio.Audience, rooms []string) error {
	return errors.Join(a.local.SocketsLeave(audience, rooms),
		a.publish("", message{Kind: kindLeave, Audience: &audience, Rooms: rooms}))
}

// DisconnectSockets disconnects sockets everywhere.
func (a *Adapter) DisconnectSockets(audience socketio.Audience, closeTransport bool) error {
	return errors.Join(a.local.DisconnectSockets(audience, closeTransport),
		a.publish("", message{Kind: kindDisconnect, Audience: &audience, Transport: closeTransport}))
}
