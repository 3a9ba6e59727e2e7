//go:build !linux

package sqlitelog

// bootID is not known here: after any unclean stop in interval mode changes count as lost.
func bootID() string { return "" }
