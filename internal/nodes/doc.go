// Package nodes lets the nodes of a cluster know and ask each other, by core NATS messages that
// nobody stores: what a node says is true while it says it. It knows neither the catalogue nor
// sockets; those who use it say what a message means.
//
// Of nodes that belong to a cluster C, and for a node with the id N, the subjects are:
//
//	nodes.C.presence.N  N is there, with its description; or N goes
//	nodes.C.tell.TOPIC  a message to every node that is there now
//	nodes.C.ask.TOPIC   a question to every node, each of which answers
//
// A node says that it is there every 3 s, and whenever its description has changed. One that was
// silent for 10 s is forgotten. A node that hears of one it did not know presents itself at once,
// so that a new node knows all others a moment after its start.
package nodes
