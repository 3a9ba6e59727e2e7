package natslog

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/shelfcast/shelfcast/internal/catalog"
	"github.com/shelfcast/shelfcast/internal/natslog/natstest"
)

// listener notes what is shared.
type listener struct {
	mu     sync.Mutex
	values []string
}

func (l *listener) take(value []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.values = append(l.values, string(value))
}

func (l *listener) heard() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.values, " ")
}

func TestSharedValuesReachEveryNode(t *testing.T) {
	t.Parallel()
	cluster := natstest.Start(t, 1, nil)
	one, two := openAt(t, cluster, 1), openAt(t, cluster, 1)
	var here, there, later listener
	follow := func(log *Log, by *listener) {
		t.Helper()
		if err := log.FollowShared(t.Context(), by.take); err != nil {
			t.Fatal(err)
		}
	}
	follow(one, &here)
	follow(two, &there)
	share := func(log *Log, name, value string) {
		t.Helper()
		if err := log.Share(t.Context(), name, []byte(value)); err != nil {
			t.Fatal(err)
		}
	}
	share(one, "a", "a1")
	if here.heard() != "a1" {
		t.Errorf("what is shared here is known as %q when that is done", here.heard())
	}
	share(one, "a", "a2")
	eventually(t, 30*time.Second, "the other node hears", func() bool { return strings.HasSuffix(there.heard(), "a2") })
	share(two, "b", "b1")
	eventually(t, 30*time.Second, "both have heard", func() bool { return here.heard() == "a1 a2 b1" })
	follow(openAt(t, cluster, 1), &later)
	if values := strings.Fields(later.heard()); !slices.Equal(values, []string{"a2", "b1"}) {
		t.Errorf("who comes later hears %q", values)
	}
	for name, value := range map[string]string{"": "x", strings.Repeat("n", maxSharedName+1): "x", "n": strings.Repeat("x", maxSharedValue+1)} {
		if err := one.Share(t.Context(), name, []byte(value)); catalog.ErrorCode(err) != catalog.CodeInvalidInput {
			t.Errorf("a name of %d bytes and a value of %d: %v", len(name), len(value), err)
		}
	}
}

// A server that lags gives a subject's former value after its present one.
func TestSharedValuesGoForwardOnly(t *testing.T) {
	t.Parallel()
	var heard listener
	s := shared{take: heard.take, seen: make(map[string]catalog.Sequence)}
	for _, each := range []struct {
		subject  string
		sequence catalog.Sequence
	}{{"a", 7}, {"a", 5}, {"b", 6}, {"a", 7}, {"a", 8}} {
		s.apply(each.subject, each.sequence, []byte(each.subject))
	}
	if heard.heard() != "a b a" {
		t.Errorf("heard %q", heard.heard())
	}
}
