package bench

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// newPoller returns the cheapest poller that can do the work.
func newPoller(secure *security) (poller, error) {
	if secure != nil {
		return newPlainPoller(secure), nil
	}
	return newEpoll()
}

// epoll is a poller on epoll(7), edge-triggered: one registration for a connection's life, and one
// read for a wakeup, since a read that does not fill the buffer has emptied the socket.
type epoll struct {
	descriptor int
	wakeup     int // an eventfd(2)
	// connections are by descriptor; generations tell a descriptor's event from one of its
	// predecessor's, closed in the same round.
	connections []*connection
	generations []int32
	ready       []unix.EpollEvent
	buffer      []byte
}

func newEpoll() (*epoll, error) {
	descriptor, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	wakeup, err := unix.Eventfd(0, unix.EFD_NONBLOCK|unix.EFD_CLOEXEC)
	if err == nil {
		err = unix.EpollCtl(descriptor, unix.EPOLL_CTL_ADD, wakeup,
			&unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLET, Fd: int32(wakeup)})
	}
	if err != nil {
		unix.Close(descriptor)
		return nil, os.NewSyscallError("eventfd", err)
	}
	return &epoll{
		descriptor: descriptor, wakeup: wakeup,
		ready: make([]unix.EpollEvent, 512), buffer: make([]byte, 256<<10),
	}, nil
}

func (e *epoll) dial(c *connection) error {
	family := unix.AF_INET
	if c.target.Addr().Is6() {
		family = unix.AF_INET6
	}
	fd, err := unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return os.NewSyscallError("socket", err)
	}
	c.descriptor = fd
	if err := e.begin(c, fd); err != nil {
		unix.Close(fd)
		return err
	}
	return nil
}

func (e *epoll) begin(c *connection, fd int) error {
	// As browsers and net have it. Failing costs nothing but time.
	_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
	if c.source.IsValid() {
		// The port is chosen with the target in view, or all sources would share 28,000 (ip(7)).
		if err := unix.SetsockoptInt(fd, unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1); err != nil {
			return os.NewSyscallError("setsockopt", err)
		}
		if err := unix.Bind(fd, sockaddr(netip.AddrPortFrom(c.source, 0))); err != nil {
			return fmt.Errorf("connecting from %s: %w", c.source, os.NewSyscallError("bind", err))
		}
	}
	if err := unix.Connect(fd, sockaddr(c.target)); err != nil && !errors.Is(err, unix.EINPROGRESS) {
		return os.NewSyscallError("connect", err)
	}
	for len(e.connections) <= fd {
		e.connections = append(e.connections, nil)
		e.generations = append(e.generations, 0)
	}
	event := unix.EpollEvent{
		Events: unix.EPOLLIN | unix.EPOLLOUT | unix.EPOLLRDHUP | unix.EPOLLET,
		Fd:     int32(fd), Pad: e.generations[fd],
	}
	if err := unix.EpollCtl(e.descriptor, unix.EPOLL_CTL_ADD, fd, &event); err != nil {
		return os.NewSyscallError("epoll_ctl", err)
	}
	e.connections[fd] = c
	return nil
}

func sockaddr(address netip.AddrPort) unix.Sockaddr {
	if address.Addr().Is4() {
		return &unix.SockaddrInet4{Port: int(address.Port()), Addr: address.Addr().As4()}
	}
	return &unix.SockaddrInet6{Port: int(address.Port()), Addr: address.Addr().As16()}
}

func (e *epoll) wait(timeout time.Duration, to events) error {
	milliseconds := -1
	if timeout >= 0 {
		milliseconds = int((timeout + time.Millisecond - 1) / time.Millisecond)
	}
	n, err := unix.EpollWait(e.descriptor, e.ready, milliseconds)
	if err != nil && !errors.Is(err, unix.EINTR) {
		return os.NewSyscallError("epoll_wait", err)
	}
	for i := range max(n, 0) {
		event := &e.ready[i]
		fd := int(event.Fd)
		if fd == e.wakeup {
			e.read(fd) // takes the count back to 0
			continue
		}
		if c := e.connections[fd]; c != nil && e.generations[fd] == event.Pad {
			e.handle(c, event.Events, to)
		}
	}
	return nil
}

func (e *epoll) handle(c *connection, what uint32, to events) {
	if !c.isOpen {
		code, err := unix.GetsockoptInt(c.descriptor, unix.SOL_SOCKET, unix.SO_ERROR)
		if err == nil && code != 0 {
			err = unix.Errno(code)
		}
		if err != nil {
			e.end(c, os.NewSyscallError("connect", err), to)
			return
		}
		if what&unix.EPOLLOUT == 0 {
			return // registered before it began to connect
		}
		c.isOpen = true
		to.opened(c)
	}
	if what&unix.EPOLLOUT != 0 && len(c.unsent) > 0 && !c.isClosed {
		unsent := c.unsent
		c.unsent = nil
		e.write(c, unsent)
	}
	const readable = unix.EPOLLIN | unix.EPOLLRDHUP | unix.EPOLLHUP | unix.EPOLLERR
	if what&readable == 0 {
		return
	}
	hangup := what&(unix.EPOLLRDHUP|unix.EPOLLHUP|unix.EPOLLERR) != 0
	if c.owner.stalled {
		if hangup {
			e.end(c, errPeerClosed, to)
		}
		return
	}
	for !c.isClosed {
		n, err := e.read(c.descriptor)
		switch {
		case err == unix.EAGAIN:
			return
		case err != 0:
			e.end(c, os.NewSyscallError("read", err), to)
			return
		case n == 0:
			e.end(c, errPeerClosed, to)
			return
		}
		to.received(c, e.buffer[:n])
		if n < len(e.buffer) && !hangup {
			return
		}
	}
}

func (e *epoll) end(c *connection, err error, to events) {
	if c.isClosed {
		return
	}
	e.close(c)
	to.ended(c, err)
}

func (e *epoll) write(c *connection, p []byte) {
	if c.isClosed {
		return
	}
	if len(c.unsent) == 0 {
		n, err := unix.SendmsgN(c.descriptor, p, nil, nil, unix.MSG_NOSIGNAL|unix.MSG_DONTWAIT)
		switch {
		case err == nil && n == len(p):
			return
		case err == nil:
			p = p[n:]
		case !errors.Is(err, unix.EAGAIN):
			return // the reader will meet the same error
		}
	}
	if len(c.unsent)+len(p) > maxUnsent {
		// The server does not read. Once both directions are shut, the next event is the end.
		_ = unix.Shutdown(c.descriptor, unix.SHUT_RDWR)
		return
	}
	c.unsent = append(c.unsent, p...)
}

// deafen needs nothing: handle asks the owner, and edges that are not read do not repeat.
func (e *epoll) deafen(*connection) {}

func (e *epoll) close(c *connection) {
	if c.isClosed {
		return
	}
	c.isClosed = true
	c.unsent = nil
	e.connections[c.descriptor] = nil
	e.generations[c.descriptor]++
	unix.Close(c.descriptor)
}

func (e *epoll) wake() {
	one := [8]byte{0: 1, 7: 1} // not 0 in either byte order
	_, _ = unix.Write(e.wakeup, one[:])
}

func (e *epoll) stop() error {
	err := unix.Close(e.wakeup)
	return errors.Join(err, unix.Close(e.descriptor))
}

// read reads into the buffer. The socket does not block, so the Go scheduler need not hear of the
// call, which would cost a good part of it.
func (e *epoll) read(fd int) (int, unix.Errno) {
	for {
		n, _, err := unix.RawSyscall(unix.SYS_READ, uintptr(fd),
			uintptr(unsafe.Pointer(unsafe.SliceData(e.buffer))), uintptr(len(e.buffer)))
		if err != unix.EINTR {
			return int(n), err
		}
	}
}
