// Package bench is the load generator behind `shelfcast bench`: a crowd of clients, posters that
// change the catalogue, and the time that each change takes to reach each client.
//
// [Run] does a whole measurement. [Connect] gives a [Crowd] to take step by step, for scenarios
// that idle, stall clients or restart the server between the posts.
//
// A generator that shares a machine with the server it measures takes time from it, so it has to
// be cheap: on Linux one epoll loop owns all connections, and nothing is parsed that is not
// counted. Elsewhere, and over TLS, a goroutine reads each connection; the rest is the same code.
//
// # Who owns what
//
// The loop's goroutine owns all clients and their connections; nothing else touches them, and
// others reach it by handing it a function (loop.do). The ledger of posts is shared between
// posters and the loop by atomics. There are two locks, loop.mu (the functions handed over) and
// ledger.mu (posts whose outcome is not "accepted"); neither is held while taking the other.
package bench
