package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"time"
)

// stage is where cases are played: it starts servers on data that it prepares, and ends what a case
// leaves running. It belongs to one goroutine.
type stage struct {
	programs programs
	folder   string // for the servers' data; removed by close
	rounds   int
	// quick plays everything smaller, for a first look.
	quick bool

	servers []*server
	given   []int // ports of this case: who was given one may not listen there yet
	runs    int   // of servers, to name their folders
}

// The ports that servers listen on. They lie below those that the system gives to clients, so
// that a server that was killed finds its port free again.
const (
	firstPort = 5150
	lastPort  = 5199
)

// clients is how many to connect for a full number of them.
func (s *stage) clients(full int) int {
	if s.quick {
		return max(full/10, 200)
	}
	return full
}

// lasts is how long to measure for a full length.
func (s *stage) lasts(full time.Duration) time.Duration {
	if s.quick {
		return full / 4
	}
	return full
}

// books is how many books to have for a full number of them.
func (s *stage) books(full int) int {
	if s.quick && full > 100_000 {
		return 100_000
	}
	return full
}

// start starts a contender with so many books in its catalogue.
func (s *stage) start(ctx context.Context, contender contender, books int) (*server, error) {
	s.runs++
	data := filepath.Join(s.folder, "run-"+strconv.Itoa(s.runs))
	if err := s.furnish(ctx, contender, books, data); err != nil {
		return nil, err
	}
	ports, err := s.freePorts(1)
	if err != nil {
		return nil, err
	}
	return s.launch(ctx, contender, ports[0], data)
}

// restart starts a server that was ended on its own data and port.
func (s *stage) restart(ctx context.Context, ended *server) (*server, error) {
	return s.launch(ctx, ended.contender, ended.port, ended.data)
}

func (s *stage) launch(ctx context.Context, contender contender, port int, data string) (*server, error) {
	started, err := launch(ctx, s.programs, contender, port, data)
	if err == nil {
		s.servers = append(s.servers, started)
	}
	return started, err
}

// clear ends the servers of a case and removes their data.
func (s *stage) clear() {
	for _, one := range s.servers {
		one.kill()
		_ = os.RemoveAll(one.data) // what is left goes with the whole folder
	}
	s.servers, s.given = nil, nil
}

func (s *stage) close() error {
	s.clear()
	return os.RemoveAll(s.folder)
}

// freePorts finds ports for servers of a case.
func (s *stage) freePorts(count int) ([]int, error) {
	var ports []int
	for port := firstPort; port <= lastPort && len(ports) < count; port++ {
		if slices.Contains(s.given, port) {
			continue
		}
		listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err != nil {
			continue // somebody else's
		}
		if err := listener.Close(); err != nil {
			return nil, err
		}
		ports = append(ports, port)
	}
	if len(ports) < count {
		return nil, fmt.Errorf("only %d ports from %d to %d are free", len(ports), firstPort, lastPort)
	}
	s.given = append(s.given, ports...)
	return ports, nil
}

// furnish makes the data of a server: a catalogue of so many books. What takes a while is made once
// and copied.
func (s *stage) furnish(ctx context.Context, contender contender, books int, data string) error {
	if err := os.MkdirAll(data, 0o750); err != nil || books == 0 {
		return err
	}
	list := filepath.Join(s.folder, fmt.Sprintf("%d-books.json", books))
	if _, err := os.Stat(list); errors.Is(err, os.ErrNotExist) {
		if err := writeBooks(list, books); err != nil {
			return err
		}
	}
	if contender.booksFile != "" {
		return run(ctx, "cp", list, filepath.Join(data, contender.booksFile))
	}
	imported := filepath.Join(s.folder, fmt.Sprintf("%d-books", books))
	if _, err := os.Stat(imported); errors.Is(err, os.ErrNotExist) {
		if err := run(ctx, s.programs.shelfcast, "import", "--data", imported, list); err != nil {
			return err
		}
	}
	return run(ctx, "cp", "-R", imported+"/.", data)
}

// run runs a command to its end.
func run(ctx context.Context, name string, arguments ...string) error {
	if printed, err := exec.CommandContext(ctx, name, arguments...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", name, err, printed)
	}
	return nil
}

// writeBooks writes the books that both Shelfcast and the handbook's server start with.
func writeBooks(path string, count int) (err error) {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	buffered := bufio.NewWriterSize(file, 1<<20)
	for i := range count {
		separator := byte(',')
		if i == 0 {
			separator = '['
		}
		_ = buffered.WriteByte(separator) // Flush returns the first error
		fmt.Fprintf(buffered, `{"id":%d,"title":"The book with the number %d","author":%q,"returnDateTime":null,"favorites":[]}`,
			1_700_000_000_000+int64(i), i, author)
	}
	_ = buffered.WriteByte(']')
	return buffered.Flush()
}
