package bench

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
)

// maxUnderWay is how many posts may be under way.
const maxUnderWay = 1024

// withDefaults fills in what is not set, and refuses what makes no sense.
func (o Options) withDefaults() (Options, *url.URL, error) {
	base, err := url.Parse(strings.TrimSuffix(o.URL, "/"))
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" || base.RawQuery != "" || base.Fragment != "" {
		return o, nil, fmt.Errorf("%q is not a server's address such as http://localhost:4000", o.URL)
	}
	set(&o.Protocol, SocketIO)
	if o.Protocol == WebSocket {
		set(&o.Path, "/")
		set(&o.Recovery, RecoverNot)
	}
	set(&o.Path, "/socket.io/")
	set(&o.PostURL, base.String()+"/books")
	set(&o.SnapshotURL, base.String()+"/books")
	set(&o.Transport, TransportWebSocket)
	set(&o.Recovery, RecoverOffset)
	set(&o.Clients, 100)
	set(&o.ConnectAtOnce, 256)
	set(&o.ConnectTimeout, 2*time.Minute)
	if o.PID != 0 {
		set(&o.Settle, 2*time.Second)
	}
	if o.PostBody == nil {
		o.PostBody = bookBody
	}
	return o, base, o.check()
}

// set gives a field its default.
func set[T comparable](field *T, value T) {
	if *field == *new(T) {
		*field = value
	}
}

func bookBody(title string) []byte {
	body, err := json.Marshal(struct {
		Title  string `json:"title"`
		Author string `json:"author"`
	}{title, "Shelfcast bench"})
	if err != nil {
		panic(err) // strings cannot fail
	}
	return body
}

func (o *Options) check() error {
	switch {
	case !slices.Contains([]Protocol{SocketIO, WebSocket}, o.Protocol):
		return fmt.Errorf("unknown protocol %q", o.Protocol)
	case !slices.Contains([]Transport{TransportWebSocket, TransportPolling, TransportMixed}, o.Transport):
		return fmt.Errorf("unknown transport %q", o.Transport)
	case !slices.Contains([]Recovery{RecoverOffset, RecoverRefetch, RecoverNot}, o.Recovery):
		return fmt.Errorf("unknown recovery %q", o.Recovery)
	case o.Protocol == WebSocket && o.Transport != TransportWebSocket:
		return errors.New("a plain WebSocket has no other transport")
	case o.Protocol == WebSocket && o.Recovery == RecoverOffset:
		return errors.New("a plain WebSocket has no offsets to recover from")
	case !strings.HasPrefix(o.Path, "/"):
		return fmt.Errorf("the path %q does not begin with /", o.Path)
	case o.Clients < 0 || o.ConnectAtOnce < 0 || o.ConnectRate < 0 || o.ConnectTimeout < 0 || o.Settle < 0 || o.Stay < 0 || o.PID < 0:
		return errors.New("a number of clients, a rate, a time or a process id is less than 0")
	}
	_, err := o.Load.withDefaults()
	return err
}

func (l Load) withDefaults() (Load, error) {
	if l.Rate > 0 {
		set(&l.Posters, maxUnderWay)
	}
	set(&l.Posters, 1)
	set(&l.WaitFor, WaitDelivered)
	set(&l.Patience, 30*time.Second)
	if l.Count == 0 {
		set(&l.Duration, 10*time.Second)
	}
	switch {
	case l.Rate < 0 || l.Rate > 1e6 || l.Rate != l.Rate:
		return l, fmt.Errorf("a rate of %v posts a second is not from 0 to 1,000,000", l.Rate)
	case l.Posters < 1 || l.Posters > maxUnderWay:
		return l, fmt.Errorf("%d posters are not from 1 to %d", l.Posters, maxUnderWay)
	case l.WaitFor != WaitDelivered && l.WaitFor != WaitAnswered:
		return l, fmt.Errorf("unknown thing to wait for: %q", l.WaitFor)
	case l.Warmup < 0 || l.Duration < 0 || l.Count < 0 || l.Patience < 0:
		return l, errors.New("a time or count of the load is less than 0")
	}
	return l, nil
}
