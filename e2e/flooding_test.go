//go:build e2e

package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// The flood and the dummy that it meets in a control run are processes of their own, or their work
// would be done on the time of those whose latency is measured. They are this test's binary, which
// finds its part in this variable, ends with its standard input, and says how it does on its output.
const floodPart = "SHELFCAST_E2E_FLOOD_PART"

const (
	partFlood = "flood" // of target, with so many connections
	partDummy = "dummy" // which lets in so many
	// floodAddress is where all of the flood comes from.
	floodAddress = "127.0.0.9"
	// floodPause is between two attempts of one connection.
	floodPause = time.Second
)

// floodSays is a line of a part's output.
type floodSays struct {
	Address string // of the dummy
	Open    int64  // connections that were let in
	Refused int64  // attempts that were not, since the start
}

// playFloodPart runs one part until its standard input ends.
func playFloodPart(part string, arguments []string) error {
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		cancel()
	}()
	count, err := strconv.Atoi(arguments[0])
	if err != nil {
		return err
	}
	var says func() floodSays
	switch part {
	case partFlood:
		says = flooders(ctx, arguments[1], count)
	case partDummy:
		says, err = dummy(ctx, count)
	default:
		err = fmt.Errorf("there is no part %q", part)
	}
	if err != nil {
		return err
	}
	output := json.NewEncoder(os.Stdout)
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for ctx.Err() == nil {
		if err := output.Encode(says()); err != nil {
			return err
		}
		<-again.C
	}
	return nil
}

// flooders are connections from one address that come back whenever they are refused or cut, as
// clients do.
func flooders(ctx context.Context, target string, connections int) func() floodSays {
	var open, refused atomic.Int64
	dialer := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(floodAddress)}, Control: choosePortLate}
	for range connections {
		go func() {
			for ctx.Err() == nil {
				if !flooder(ctx, dialer, target, &open) {
					refused.Add(1)
				}
				select {
				case <-ctx.Done():
				case <-time.After(floodPause):
				}
			}
		}()
	}
	return func() floodSays { return floodSays{Open: open.Load(), Refused: refused.Load()} }
}

// flooder is one connection until it ends: a WebSocket that joins and receives everything. It says
// whether it was let in.
func flooder(ctx context.Context, dialer *net.Dialer, target string, open *atomic.Int64) bool {
	connection, err := dialer.DialContext(ctx, "tcp4", target)
	if err != nil {
		return false
	}
	defer connection.Close()
	_, _ = io.WriteString(connection, "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n"+
		"Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
	reader := bufio.NewReaderSize(connection, 512)
	response, err := http.ReadResponse(reader, nil)
	if err != nil {
		return false
	}
	response.Body.Close()
	if response.StatusCode != http.StatusSwitchingProtocols {
		return false
	}
	// CONNECT as one masked frame (RFC 6455, 5.2) with a mask of zeros.
	if _, err := connection.Write([]byte{0x81, 0x82, 0, 0, 0, 0, '4', '0'}); err != nil {
		return true
	}
	open.Add(1)
	defer open.Add(-1)
	_, _ = io.Copy(io.Discard, reader)
	return true
}

// choosePortLate lets Linux choose a connection's port with its target in view (ip(7),
// IP_BIND_ADDRESS_NO_PORT). Otherwise it looks for one that nothing at all uses, which beside
// thousands of others takes more time than all else here together.
func choosePortLate(_, _ string, connection syscall.RawConn) error {
	const ipBindAddressNoPort = 24
	if runtime.GOOS != "linux" {
		return nil
	}
	var err error
	if failed := connection.Control(func(fd uintptr) {
		err = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_IP, ipBindAddressNoPort, 1)
	}); failed != nil {
		return failed
	}
	return err
}

// dummy does for the flood what every server has to, in the cheapest way: it lets in as many as
// the server does, says nothing to them, and resets the others when it has accepted them.
func dummy(ctx context.Context, most int) (func() floodSays, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	context.AfterFunc(ctx, func() { listener.Close() })
	var open, refused atomic.Int64
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			if open.Load() >= int64(most) {
				refused.Add(1)
				_ = connection.(*net.TCPConn).SetLinger(0)
				connection.Close()
				continue
			}
			open.Add(1)
			go func() {
				defer open.Add(-1)
				defer connection.Close()
				answerUpgrade(connection)
			}()
		}
	}()
	return func() floodSays {
		return floodSays{Address: listener.Addr().String(), Open: open.Load(), Refused: refused.Load()}
	}, nil
}

// answerUpgrade answers the flood's handshake, whose key is always the same, and reads on.
func answerUpgrade(connection net.Conn) {
	reader := bufio.NewReaderSize(connection, 512)
	if _, err := http.ReadRequest(reader); err != nil {
		return
	}
	_, _ = io.WriteString(connection, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n")
	_, _ = io.Copy(io.Discard, reader)
}

// floodProcess is a part at work. One goroutine follows its output and ends with it, in stop.
type floodProcess struct {
	process *exec.Cmd
	input   io.Closer
	latest  atomic.Pointer[floodSays]
	follow  sync.WaitGroup
}

// startFloodPart runs this test's binary as a part, until the test ends or stop.
func startFloodPart(t *testing.T, part string, count int, arguments ...string) *floodProcess {
	t.Helper()
	f := &floodProcess{process: exec.Command(os.Args[0], append([]string{strconv.Itoa(count)}, arguments...)...)}
	f.latest.Store(&floodSays{})
	f.process.Env = append(os.Environ(), floodPart+"="+part)
	f.process.Stderr = os.Stderr
	input, err := f.process.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	f.input = input
	output, err := f.process.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := f.process.Start(); err != nil {
		t.Fatal(err)
	}
	f.follow.Go(func() {
		for lines := json.NewDecoder(output); ; {
			says := &floodSays{}
			if lines.Decode(says) != nil {
				return
			}
			f.latest.Store(says)
		}
	})
	t.Cleanup(func() {
		input.Close()
		f.follow.Wait()
		if err := f.process.Wait(); err != nil {
			t.Errorf("the %s: %v", part, err)
		}
	})
	return f
}

// await waits for a part to be as it shall, and returns what it then says.
func (f *floodProcess) await(t *testing.T, what string, condition func(*floodSays) bool) *floodSays {
	t.Helper()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for deadline := time.Now().Add(time.Minute); ; <-again.C {
		says := f.latest.Load()
		if condition(says) {
			return says
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s does not come: %+v", what, *says)
		}
	}
}
