// Package live is the only bridge from the catalogue to sockets: changes
// become events in rooms, and what clients ask over their sockets becomes
// commands. It keeps who is connected and who watches a dashboard, and tells
// clients that come back what they missed.
//
// Goroutines and locks. The package starts no goroutine of its own but timers
// (pacer), which Live.Close stops and waits for; in a cluster, the other nodes are
// heard on goroutines of package nodes. Locks, outer before inner:
//
//	the catalogue's, held while it applies a change and during AtPosition
//	  Live.order        whatever carries a position is queued under it
//	dashboard.sending   what is told to dashboards is queued under it
//	  people.mu, elsewhere.mu, returns.mu, pacer.mu: leaves; nothing is locked under them
//
// Queueing for a socket never waits for the client behind it; at most it waits
// for the engine's workers, which wait for nobody.
package live
