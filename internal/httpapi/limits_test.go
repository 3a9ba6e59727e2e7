package httpapi_test

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/shelfcast/shelfcast/internal/catalog"
	"github.com/shelfcast/shelfcast/internal/httpapi"
	"github.com/shelfcast/shelfcast/internal/ratelimit"
)

// clock is a time that stands still until it is moved.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2024, 12, 25, 12, 0, 0, 0, time.UTC)} }

func (c *clock) read() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func TestUsersAreLimited(t *testing.T) {
	t.Parallel()
	now := newClock()
	f := newFixture(t, func(o *httpapi.Options) {
		o.UserRate = ratelimit.Rate{PerSecond: 0.5, Burst: 2}
		o.Now = now.read
	})
	ask := func(user string, status int, remaining string) *http.Response {
		t.Helper()
		response := f.send(t, http.MethodGet, "/stats", "", map[string]string{"X-User-Id": user})
		if response.StatusCode != status {
			t.Errorf("%s gets %d, want %d", user, response.StatusCode, status)
		}
		if got := response.Header.Get("RateLimit-Remaining"); got != remaining {
			t.Errorf("%s has %q requests left, want %s", user, got, remaining)
		}
		return response
	}
	ask("anna", 200, "1")
	ask("anna", 200, "0")
	refused := ask("anna", 429, "0")
	for name, want := range map[string]string{"Retry-After": "2", "RateLimit-Limit": "2", "RateLimit-Reset": "4"} {
		if got := refused.Header.Get(name); got != want {
			t.Errorf("%s is %q, want %s", name, got, want)
		}
	}
	checkProblem(t, refused, readAll(t, refused), "Too many requests", "")
	ask("bert", 200, "1")
	now.move(2 * time.Second) // as long as Retry-After said
	ask("anna", 200, "0")
	ask("anna", 429, "0")
}

// A user who is named only by the body is counted too, before anything changes.
func TestUsersOfTheBodyAreLimited(t *testing.T) {
	t.Parallel()
	now := newClock()
	f := newFixture(t, func(o *httpapi.Options) {
		o.UserRate = ratelimit.Rate{PerSecond: 1, Burst: 1}
		o.Now = now.read
	})
	scenario{method: "PUT", target: "/books/{other}/favorite", body: `{"userId":"bert"}`, status: 200, events: []string{"favoriteUpdated"}}.run(t, f)
	scenario{method: "DELETE", target: "/books/{other}/favorite", body: `{"userId":"bert"}`, status: 429, problem: "Too many requests", answers: map[string]string{"Retry-After": "1"}}.run(t, f)
}

func TestAddressesAreLimited(t *testing.T) {
	t.Parallel()
	now := newClock()
	f := newFixture(t, func(o *httpapi.Options) {
		o.AddressRate = ratelimit.Rate{PerSecond: 1, Burst: 2}
		o.Now = now.read
	})
	ask := func(address, target string, status int) {
		t.Helper()
		request := httptest.NewRequest(http.MethodGet, target, nil)
		request.RemoteAddr = address
		request.Header.Set("X-Forwarded-For", strconv.Itoa(int(now.read().UnixNano()))) // changes nothing
		recorder := httptest.NewRecorder()
		f.api.ServeHTTP(recorder, request)
		if recorder.Code != status {
			t.Errorf("%s gets %d for %s, want %d", address, recorder.Code, target, status)
		}
	}
	ask("192.0.2.1:1000", "/stats", 200)
	ask("192.0.2.1:2000", "/nothing", 404)
	ask("192.0.2.1:3000", "/nothing", 429)
	ask("[::ffff:192.0.2.1]:1000", "/stats", 429)
	ask("192.0.2.1:4000", "/healthz", 200)
	ask("192.0.2.1:4000", "/readyz", 200)
	ask("192.0.2.2:1000", "/stats", 200)
	ask("[2001:db8::1]:1", "/stats", 200)
	ask("[2001:db8::ffff:1%eth0]:1", "/stats", 200)
	ask("[2001:db8::2]:1", "/stats", 429)
	ask("[2001:db8:0:1::1]:1", "/stats", 200)
	ask("@", "/stats", 200)
}

// What comes another way than HTTP counts against the same buckets.
func TestAdmit(t *testing.T) {
	t.Parallel()
	now := newClock()
	f := newFixture(t, func(o *httpapi.Options) {
		o.UserRate = ratelimit.Rate{PerSecond: 1, Burst: 2}
		o.AddressRate = ratelimit.Rate{PerSecond: 1, Burst: 4}
		o.Now = now.read
	})
	for i, test := range []struct {
		user, address string
		refused       bool
	}{
		{"anna", "192.0.2.1:1000", false},
		{"anna", "192.0.2.1:2000", false},
		{"anna", "192.0.2.1:2000", true},
		{"", "192.0.2.1:2000", false}, // nobody is no user with a bucket
		{"bert", "192.0.2.1:2000", true},
		{"anna", "192.0.2.2:1000", true},
	} {
		err := f.api.Admit(test.user, test.address)
		if (err != nil) != test.refused {
			t.Errorf("%d: %v", i, err)
		}
		if err != nil && (catalog.ErrorCode(err) != catalog.CodeTooManyRequests || catalog.ErrorText(err) != "Too many requests") {
			t.Errorf("%d: %v", i, err)
		}
	}
	response := f.send(t, http.MethodGet, "/stats", "", map[string]string{"X-User-Id": "anna"})
	checkProblem(t, response, readAll(t, response), "Too many requests", "")
	if err := newFixture(t, nil).api.Admit("anna", "@"); err != nil {
		t.Errorf("without rates: %v", err)
	}
}

// Where user and address are both counted, a client hears of what will refuse it first.
func TestTheTighterLimitIsTold(t *testing.T) {
	t.Parallel()
	now := newClock()
	for name, rates := range map[string][2]int{"address": {5, 2}, "user": {2, 5}} {
		f := newFixture(t, func(o *httpapi.Options) {
			o.UserRate = ratelimit.Rate{PerSecond: 1, Burst: rates[0]}
			o.AddressRate = ratelimit.Rate{PerSecond: 1, Burst: rates[1]}
			o.Now = now.read
		})
		response := f.send(t, http.MethodGet, "/stats", "", map[string]string{"X-User-Id": "anna"})
		if limit, left := response.Header.Get("RateLimit-Limit"), response.Header.Get("RateLimit-Remaining"); limit != "2" || left != "1" {
			t.Errorf("%s is tighter: limit %s, %s left", name, limit, left)
		}
	}
}

func TestWithoutRatesNothingIsLimited(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	for range 2000 {
		response := f.send(t, http.MethodGet, "/stats", "", map[string]string{"X-User-Id": "anna"})
		if response.StatusCode != http.StatusOK || response.Header.Get("RateLimit-Limit") != "" {
			t.Fatalf("limited: %d %v", response.StatusCode, response.Header)
		}
	}
}
