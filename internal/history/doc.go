// Package history remembers how the server did: every indicator once a second for ten minutes, and
// once a minute for thirty days, without any other program. The minutes outlast the process in a
// Store.
package history
