//go:build unix

package bench

import "syscall"

// openFiles is how many files this process may have open (getrlimit(2)). Go raises the limit to
// the hard one at its start.
func openFiles() (limit uint64, known bool) {
	var got syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &got); err != nil {
		return 0, false
	}
	return uint64(got.Cur), true
}
