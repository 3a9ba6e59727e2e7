// Package natslog keeps the catalogue's log in a JetStream stream of an existing NATS cluster, for
// several nodes at once.
//
// The stream holds one message per subject, the newest. For a stream SHELFCAST its subjects are:
//
//	SHELFCAST.c.<id>.b         the book, or its deletion: the key's sequence is this message's
//	SHELFCAST.c.<id>.e         a copy of its last deletion, which outlives a book brought back
//	SHELFCAST.c.<id>.f.<user>  one favourite, given or taken back
//	SHELFCAST.k.<hash>         an idempotency key; expires
//	SHELFCAST.m.<name>         the state of a client; expires
//	SHELFCAST.s.<name>         what holds for all nodes: a blocked address
//	SHELFCAST.n.<node>         the last barrier of a node; expires
//	SHELFCAST.r.<series>.<n>   a series that is too large for one batch; expires
//	SHELFCAST.t.<n>            which positions the records have that came from another log
//
// What is never pruned and what may expire follows from how JetStream recovers: after a crash it
// may rebuild its index from block files that hold no record of removals, so a message that expired
// can let the one before it live again (upstream issue 8505). Hence changes never expire, and
// everything that does says in its content until when it holds.
//
// A stored message is republished by the stream's leader on rp.<subject>; whoever follows
// subscribes there and reads what it missed with direct gets. Consumers are not used: one lives on
// a single server, and the death of that server stalls readers on the others for seconds.
package natslog
