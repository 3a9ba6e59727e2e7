// Package connections tells who is connected from where, and ends what should not be: one
// connection, or all that come from an address that is blocked from now on.
package connections
