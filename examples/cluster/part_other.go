//go:build !linux

package main

import "syscall"

// attributes are none here: Ctrl-C reaches every process at once, and those of a cluster that was
// killed have to be ended by hand; the next start names their ports.
func attributes() *syscall.SysProcAttr { return nil }
