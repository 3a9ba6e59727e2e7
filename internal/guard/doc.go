// Package guard stands before everything that the network can reach: it says whose address a
// request comes from when proxies stand between, turns away addresses that an operator has
// blocked, and remembers who was refused and why. It knows nothing of books or sockets.
package guard
