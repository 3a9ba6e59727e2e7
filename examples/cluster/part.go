package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
	"time"
)

// stopTime is how long a part has to end once it was asked to: longer than a node takes to hand its
// clients over and to stop.
const stopTime = 20 * time.Second

// part is one process of the cluster, started anew whenever it ends.
type part struct {
	name    string
	dir     string // what it keeps, its log and its pid
	program string
	args    []string
	restart time.Duration // 0: never
	say     func(format string, args ...any)
}

func (p *part) logFile() string { return filepath.Join(p.dir, "log") }

// run keeps the process running until ctx ends and the process has.
func (p *part) run(ctx context.Context) {
	// The system may end a process when the thread that started it ends (see attributes). This
	// goroutine keeps its thread, which ends with it.
	runtime.LockOSThread()
	for ctx.Err() == nil {
		err := p.once(ctx)
		switch {
		case ctx.Err() != nil:
			if errors.Is(err, exec.ErrWaitDelay) {
				p.say("%s did not stop within %s and was killed", p.name, stopTime)
			}
		case p.restart == 0:
			p.say("%s has ended (%s)", p.name, ending(err))
			<-ctx.Done()
		default:
			p.say("%s has ended (%s) and is started again in %s; it wrote %s", p.name, ending(err), p.restart, p.logFile())
			timer := time.NewTimer(p.restart)
			select {
			case <-timer.C:
			case <-ctx.Done():
			}
			timer.Stop()
		}
	}
}

// once runs the process. It ends with the process, which is asked to end when ctx does.
func (p *part) once(ctx context.Context) error {
	log, err := os.OpenFile(p.logFile(), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close() //nolint:errcheck // the process has its own
	command := exec.CommandContext(ctx, p.program, p.args...)
	command.Stdout, command.Stderr = log, log
	command.SysProcAttr = attributes()
	command.Cancel = func() error { return command.Process.Signal(syscall.SIGTERM) }
	command.WaitDelay = stopTime
	if err := command.Start(); err != nil {
		return err
	}
	// For whoever wants to kill it, as docs/cluster.md proposes.
	pid := filepath.Join(p.dir, "pid")
	err = os.WriteFile(pid, []byte(strconv.Itoa(command.Process.Pid)+"\n"), 0o600)
	return errors.Join(err, command.Wait(), os.Remove(pid))
}

func ending(err error) string {
	if err == nil {
		return "by itself"
	}
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		return exit.Error()
	}
	return fmt.Sprint(err)
}
