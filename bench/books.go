package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"time"
)

// httpConnections is how many requests are under way at a time where throughput is measured: enough
// to keep two cores busy, few enough that they do not wait for each other for long.
const httpConnections = 8

// asking is one way in which a client asks for GET /books.
type asking struct {
	metric metric
	header string
	status int
}

var (
	askPlain = asking{plainRate, "", http.StatusOK}
	askGzip  = asking{gzipRate, "Accept-Encoding: gzip\r\n", http.StatusOK}
)

func (a asking) request(served *server) []byte {
	return fmt.Appendf(nil, "GET /books HTTP/1.1\r\nHost: %s\r\n%s\r\n", served.address(), a.header)
}

// load asks for all books over and over.
func (a asking) load(served *server, length time.Duration) httpLoad {
	request := a.request(served)
	return httpLoad{
		address:     served.address(),
		connections: httpConnections,
		length:      length,
		request:     func(int64) []byte { return request },
		status:      a.status,
	}
}

// readBooks gets the whole catalogue of so many books in the three ways in which clients ask for it.
func readBooks(books int, bars bool) scenario {
	s := scenario{
		name:    fmt.Sprintf("books-get-%dk", books/1000),
		title:   fmt.Sprintf("GET /books with %s books", thousands(int64(books))),
		about:   fmt.Sprintf("The whole catalogue over %d connections, each asking again as soon as it was answered: plain, with gzip accepted (Node's server sends it plain: the handbook has no compression), and with the ETag that the client already has.", httpConnections),
		metrics: []metric{plainRate, gzipRate, unchangedRate},
		charts: []chart{
			{fmt.Sprintf("books-get-%dk-gzip", books/1000), fmt.Sprintf("GET /books, gzip accepted, %s books", thousands(int64(books))), gzipRate},
		},
	}
	for _, one := range []contender{shelfcast, node} {
		s.cases = append(s.cases, measured{one.name, func(ctx context.Context, on *stage) (reading, error) {
			served, err := on.start(ctx, one, books)
			if err != nil {
				return nil, err
			}
			tag, err := entityTag(ctx, served)
			if err != nil {
				return nil, err
			}
			askUnchanged := asking{unchangedRate, "If-None-Match: " + tag + "\r\n", http.StatusNotModified}
			values := make(reading)
			for _, way := range []asking{askPlain, askGzip, askUnchanged} {
				const warmup = time.Second / 2
				if _, err := way.load(served, warmup).run(ctx); err != nil {
					return nil, err
				}
				done, err := way.load(served, on.lasts(2*time.Second)).run(ctx)
				if err != nil {
					return nil, err
				}
				values[way.metric] = done.perSecond()
			}
			return values, nil
		}})
	}
	bounds := map[metric]bound{}
	if bars {
		bounds = map[metric]bound{plainRate: atLeast(5, 0), gzipRate: atLeast(20, 0), unchangedRate: atLeast(50, 0)}
	}
	for _, one := range s.metrics {
		s.comparisons = append(s.comparisons, between(
			fmt.Sprintf("GET /books, %s books, %s, against Node", thousands(int64(books)), one.Name),
			one, shelfcast.name, node.name, bounds[one]))
	}
	return s
}

// entityTag is the ETag of GET /books.
func entityTag(ctx context.Context, served *server) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, served.url()+"/books", nil)
	if err != nil {
		return "", err
	}
	request.Close = true
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", err
	}
	answer.Body.Close()
	tag := answer.Header.Get("ETag")
	if tag == "" {
		return "", fmt.Errorf("GET /books was answered %s without an ETag", answer.Status)
	}
	return tag, nil
}

const (
	noWrites   = "no writes"
	withWrites = "50 writes a second"
)

// readWhileWriting gets a large catalogue while it changes: each change makes the encoded catalogue
// stale.
func readWhileWriting() scenario {
	const books = 100_000
	s := scenario{
		name:        "books-get-writes",
		title:       "GET /books while books change",
		about:       "100,000 books, gzip accepted, without writes and with 50 new books a second.",
		metrics:     []metric{gzipRate},
		comparisons: []comparison{between("GET /books (gzip), 100,000 books, with 50 writes a second against without", gzipRate, withWrites, noWrites, atLeast(0.5, 0.9))},
		charts:      []chart{{"books-get-writes", "GET /books, gzip accepted, 100,000 books", gzipRate}},
	}
	measure := func(writes bool) func(context.Context, *stage) (reading, error) {
		return func(ctx context.Context, on *stage) (reading, error) {
			served, err := on.start(ctx, shelfcast, books)
			if err != nil {
				return nil, err
			}
			if _, err := askGzip.load(served, time.Second).run(ctx); err != nil {
				return nil, err
			}
			length := on.lasts(6 * time.Second)
			written := make(chan error, 1)
			if writes {
				posts := writing(served, 4, length)
				posts.every = time.Second / 50
				go func() {
					done, err := posts.run(ctx)
					if aim := length.Seconds() * 50; err == nil && float64(done.answers) < aim*0.9 {
						err = fmt.Errorf("%d writes were answered in %s, not 50 a second", done.answers, done.took)
					}
					written <- err
				}()
			} else {
				written <- nil
			}
			done, err := askGzip.load(served, length).run(ctx)
			if lagged := <-written; err == nil {
				err = lagged
			}
			if err != nil {
				return nil, err
			}
			return reading{gzipRate: done.perSecond()}, nil
		}
	}
	s.cases = []measured{{noWrites, measure(false)}, {withWrites, measure(true)}}
	return s
}

// writing posts new books.
func writing(served *server, connections int, length time.Duration) httpLoad {
	return httpLoad{
		address:     served.address(),
		connections: connections,
		length:      length,
		status:      http.StatusCreated,
		request: func(n int64) []byte {
			body := bookBody(fmt.Sprintf("A new book, number %d", n), author)
			var request bytes.Buffer
			fmt.Fprintf(&request, "POST /books HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
				served.address(), len(body), body)
			return request.Bytes()
		},
	}
}

// postBooks posts one book at a time into catalogues of different sizes: a write must not cost
// more because there are many books.
func postBooks() scenario {
	small, large := 1_000, 100_000
	s := scenario{
		name:    "books-post",
		title:   "POST /books into a large catalogue",
		about:   "One client that posts a book as soon as the last was answered; nobody listens.",
		metrics: []metric{cpuPerRequest, requestP50},
		charts:  []chart{{"books-post-cpu", "Server CPU per POST /books", cpuPerRequest}},
	}
	name := func(who contender, books int) string {
		return fmt.Sprintf("%s, %s books", who.name, thousands(int64(books)))
	}
	for _, who := range []contender{shelfcast, node} {
		for _, books := range []int{small, large} {
			s.cases = append(s.cases, measured{name(who, books), func(ctx context.Context, on *stage) (reading, error) {
				return postAlone(ctx, on, who, books)
			}})
		}
	}
	for _, one := range s.metrics {
		what := "POST /books, " + one.Name
		s.comparisons = append(s.comparisons,
			between(what+", at 100,000 books against 1,000", one, name(shelfcast, large), name(shelfcast, small), atMost(1.3, 1.0)),
			between(what+", at 1,000 books against Node", one, name(shelfcast, small), name(node, small), bound{}),
			between(what+", at 100,000 books against Node", one, name(shelfcast, large), name(node, large), bound{}))
	}
	return s
}

func postAlone(ctx context.Context, on *stage, who contender, books int) (reading, error) {
	served, err := on.start(ctx, who, books)
	if err != nil {
		return nil, err
	}
	// The mirror books.json follows a start after a moment; that is not the posts' cost.
	if _, err := writing(served, 1, 2*time.Second).run(ctx); err != nil {
		return nil, err
	}
	before, err := served.usage()
	if err != nil {
		return nil, err
	}
	done, err := writing(served, 1, on.lasts(5*time.Second)).run(ctx)
	if err != nil {
		return nil, err
	}
	after, err := served.usage()
	if err != nil {
		return nil, err
	}
	return reading{
		cpuPerRequest: microseconds(after.cpu-before.cpu) / float64(done.answers),
		requestP50:    milliseconds(done.quantile(0.5)),
	}, nil
}

func microseconds(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }
func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
