package bench

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"
)

const (
	// senders is how many requests clients have under way at most. They share their connections,
	// as they would behind a reverse proxy.
	senders = 64
	// requestTimeout is for one request, its answer included.
	requestTimeout = 60 * time.Second
)

// requests makes the plain HTTP requests: posts, and on behalf of clients what a polling one sends
// and the snapshots. Safe for concurrent use.
type requests struct {
	client  *http.Client
	base    string // of the server: scheme://host:port
	token   string
	postURL string
	snapURL string

	// ctx ends with close.
	ctx    context.Context
	cancel context.CancelFunc
	work   sync.WaitGroup

	mu      sync.Mutex
	queue   []func() // at most a few for each client
	running int      // goroutines that work on it, up to senders; each ends when it is empty
}

func newRequests(o *Options, base string, source netip.Addr, secure *tls.Config) *requests {
	ctx, cancel := context.WithCancel(context.Background())
	dialer := new(net.Dialer)
	if source.IsValid() {
		dialer.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(source, 0))
	}
	r := &requests{
		base: base, token: o.Token, postURL: o.PostURL, snapURL: o.SnapshotURL,
		ctx: ctx, cancel: cancel,
	}
	r.client = &http.Client{
		Timeout: requestTimeout,
		Transport: &http.Transport{
			DialContext: dialer.DialContext, TLSClientConfig: secure,
			MaxIdleConnsPerHost: maxUnderWay + senders, DisableCompression: true,
		},
	}
	return r
}

// close ends all requests and waits for them.
func (r *requests) close() {
	r.mu.Lock()
	r.cancel() // under the lock: no sender is started from here on
	r.mu.Unlock()
	r.work.Wait()
	r.client.CloseIdleConnections()
}

// post makes one post and returns the Location that its answer names, if any. A *statusError is a
// refusal; after any other error it is not known what became of the post.
func (r *requests) post(ctx context.Context, body []byte) (location string, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, r.postURL, bytes.NewReader(body))
	if err != nil {
		return "", err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("X-User-Id", "bench")
	answer, err := r.do(request)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	content, err := io.ReadAll(io.LimitReader(answer.Body, maxHead))
	if err != nil {
		return "", err
	}
	if answer.StatusCode/100 != 2 {
		return "", newStatusError(answer.StatusCode, content)
	}
	return answer.Header.Get("Location"), nil
}

func (r *requests) do(request *http.Request) (*http.Response, error) {
	if r.token != "" {
		request.Header.Set("Authorization", "Bearer "+r.token)
	}
	return r.client.Do(request)
}

// packet sends a packet of a client that polls and calls done with what came of it, from another
// goroutine. After close it may not call it.
func (r *requests) packet(query, packet string, done func(error)) {
	r.later(func() {
		request, err := http.NewRequestWithContext(r.ctx, http.MethodPost, r.base+query, strings.NewReader(packet))
		if err != nil {
			done(err)
			return
		}
		request.Header.Set("Content-Type", "text/plain;charset=UTF-8")
		answer, err := r.client.Do(request)
		if err != nil {
			done(err)
			return
		}
		defer answer.Body.Close()
		content, err := io.ReadAll(io.LimitReader(answer.Body, maxHead))
		if err == nil && answer.StatusCode != http.StatusOK {
			err = newStatusError(answer.StatusCode, content)
		}
		done(err)
	})
}

// snapshot gets a snapshot, compressed if the server likes, as a browser would, and calls done with
// the bytes of its body.
func (r *requests) snapshot(done func(size uint64, err error)) {
	r.later(func() {
		request, err := http.NewRequestWithContext(r.ctx, http.MethodGet, r.snapURL, nil)
		if err != nil {
			done(0, err)
			return
		}
		request.Header.Set("Accept-Encoding", "gzip")
		answer, err := r.do(request)
		if err != nil {
			done(0, err)
			return
		}
		defer answer.Body.Close()
		size, err := io.Copy(io.Discard, answer.Body)
		if err == nil && answer.StatusCode != http.StatusOK {
			err = fmt.Errorf("GET %s: HTTP status %d", r.snapURL, answer.StatusCode)
		}
		done(uint64(size), err)
	})
}

// later queues work for the senders.
func (r *requests) later(work func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ctx.Err() != nil {
		return
	}
	r.queue = append(r.queue, work)
	if r.running < senders {
		r.running++
		r.work.Go(r.send)
	}
}

// send is a sender: it works until nothing is queued.
func (r *requests) send() {
	for {
		r.mu.Lock()
		if len(r.queue) == 0 || r.ctx.Err() != nil {
			r.running--
			r.mu.Unlock()
			return
		}
		work := r.queue[0]
		r.queue = r.queue[1:]
		r.mu.Unlock()
		work()
	}
}
