//go:build !unix

package bench

// openFiles is for systems that have no such limit.
func openFiles() (limit uint64, known bool) { return 0, false }
