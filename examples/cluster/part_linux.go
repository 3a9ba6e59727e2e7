package main

import "syscall"

// attributes keep Ctrl-C from reaching every process at once: the nodes end first, while NATS still
// runs. And no process outlives a cluster that was killed: it would keep its port and its data.
func attributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
}
