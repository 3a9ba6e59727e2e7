// Package socketio is a Socket.IO server: it speaks revision 5 of the protocol,
// the one of Socket.IO 3 and 4, with unmodified clients.
package socketio
