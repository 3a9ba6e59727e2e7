package engineio

import (
	"os"
	"sync"
	"syscall"
)

// poller wakes the readers of connections that rest (see webSocket). An epoll instance of our
// own is what lets a connection be watched without a goroutine that waits for it: that
// would be more than half of the memory of an idle client. The runtime's poller watches the
// instance in turn, so that waiting costs no thread.
//
// Its goroutine starts with the first connection and ends in close. mu is a leaf.
type poller struct {
	once sync.Once // guards the start; what it sets does not change
	file *os.File
	raw  syscall.RawConn // nil when there is none: then each reader waits by itself
	done chan struct{}   // closed at the end of the goroutine

	mu      sync.Mutex
	sockets []*webSocket // by descriptor
}

func (p *poller) start() {
	fd, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return
	}
	if err := syscall.SetNonblock(fd, true); err != nil { // has package os use the runtime's poller
		_ = syscall.Close(fd)
		return
	}
	p.file = os.NewFile(uintptr(fd), "epoll")
	if p.raw, err = p.file.SyscallConn(); err != nil { // only once it is closed
		return
	}
	p.done = make(chan struct{})
	go p.run()
}

// close ends the goroutine and waits for it.
func (p *poller) close() {
	p.once.Do(func() {}) // it never starts now
	if p.raw != nil {
		_ = p.file.Close()
		<-p.done
	}
}

const (
	// A client's bytes and its end are reported once each time that they come.
	pollerEvents = syscall.EPOLLIN | syscall.EPOLLRDHUP | 1<<31 // EPOLLET, which package syscall has as a negative number
	// maxPollerEvents is how many connections are taken from the kernel at once.
	maxPollerEvents = 256
)

// add watches a connection from now on. It says false when it cannot.
func (p *poller) add(c *webSocket) bool {
	if c.raw == nil {
		return false
	}
	if p.once.Do(p.start); p.raw == nil {
		return false
	}
	added := false
	// Whichever is closed already, the inner function does not run.
	_ = c.raw.Control(func(fd uintptr) {
		p.put(int(fd), c)
		_ = p.raw.Control(func(instance uintptr) {
			event := syscall.EpollEvent{Events: pollerEvents, Fd: int32(fd)}
			added = syscall.EpollCtl(int(instance), syscall.EPOLL_CTL_ADD, int(fd), &event) == nil
		})
	})
	if !added {
		p.remove(c)
	}
	return added
}

func (p *poller) put(fd int, c *webSocket) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for fd >= len(p.sockets) {
		p.sockets = append(p.sockets, nil)
	}
	p.sockets[fd] = c
}

// remove forgets a connection. The kernel does so when the descriptor is closed, after which
// another connection may have its number already.
func (p *poller) remove(c *webSocket) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if fd := int(c.fd); fd < len(p.sockets) && p.sockets[fd] == c {
		p.sockets[fd] = nil
	}
}

// run wakes readers until the poller is closed.
func (p *poller) run() {
	defer close(p.done)
	events := make([]syscall.EpollEvent, maxPollerEvents)
	woken := make([]*webSocket, 0, maxPollerEvents)
	n := 0
	wait := func(instance uintptr) bool {
		n = takeEvents(int(instance), events)
		return n > 0
	}
	for p.raw.Read(wait) == nil {
		woken = p.lookUp(events[:n], woken[:0])
		for _, c := range woken {
			c.wake()
		}
		clear(woken)
	}
}

func takeEvents(instance int, events []syscall.EpollEvent) int {
	for {
		n, err := syscall.EpollWait(instance, events, 0)
		if err != syscall.EINTR {
			return max(n, 0)
		}
	}
}

func (p *poller) lookUp(events []syscall.EpollEvent, into []*webSocket) []*webSocket {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, event := range events {
		// An event of a connection that was closed meanwhile may wake the one that
		// got its descriptor, which then finds nothing to read.
		if c := p.sockets[event.Fd]; c != nil {
			into = append(into, c)
		}
	}
	return into
}
