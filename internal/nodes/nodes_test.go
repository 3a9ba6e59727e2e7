package nodes

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/shelfcast/shelfcast/internal/natslog/natstest"
)

// patience bounds every wait.
const patience = 30 * time.Second

// site is a node and what it has heard.
type site struct {
	*Nodes
	conn *nats.Conn

	mu      sync.Mutex
	saw     map[string]string // descriptions by node
	told    []string
	ignored map[string]int
	says    string
}

func (s *site) Ignored(reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ignored[reason]++
}

// start starts a node that describes itself as says, in JSON.
func start(t *testing.T, url, name, says string) *site {
	t.Helper()
	conn, err := nats.Connect(url, nats.MaxReconnects(-1), nats.ReconnectWait(20*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	s := &site{conn: conn, saw: make(map[string]string), ignored: make(map[string]int), says: says}
	// Much longer than a busy machine makes anybody silent.
	s.Nodes, err = New(Options{Conn: conn, Cluster: "C", Name: name, Beat: 100 * time.Millisecond, Silence: 3 * time.Second, Meter: s})
	if err != nil {
		t.Fatal(err)
	}
	s.Describe(func(int) []byte {
		s.mu.Lock()
		defer s.mu.Unlock()
		return []byte(s.says)
	})
	s.Observe(func(id string, description []byte) error {
		if string(description) == `"nonsense"` {
			return errors.New("that is nonsense")
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.saw[id] = string(description)
		return nil
	}, func(id string, _ time.Time) {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.saw, id)
	})
	s.Listen("news", func(message []byte) error {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.told = append(s.told, string(message))
		return nil
	})
	s.Answer("who", func(request []byte) ([]byte, error) {
		if string(request) == "nobody" {
			return nil, errors.New("nobody\nis here")
		}
		return fmt.Appendf(nil, "%s for %s", name, request), nil
	})
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Leave)
	return s
}

// sees gives the descriptions of the others, sorted.
func (s *site) sees() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []string
	for _, description := range s.saw {
		all = append(all, description)
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}

func (s *site) count(reason string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ignored[reason]
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for deadline := time.After(patience); !holds(); {
		select {
		case <-ticker.C:
		case <-deadline:
			t.Fatalf("after %s still not: %s", patience, what)
		}
	}
}

// Nodes come, change, leave and die, and the others know.
func TestNodesKnowEachOther(t *testing.T) {
	t.Parallel()
	servers := natstest.Start(t, 1, nil)
	one, two, three := start(t, servers.URL(), "one", `1`), start(t, servers.URL(), "two", `2`), start(t, servers.URL(), "three", `3`)
	eventually(t, "all know each other", func() bool {
		return one.sees() == "2 3" && two.sees() == "1 3" && three.sees() == "1 2"
	})
	two.mu.Lock()
	two.says = `22`
	two.mu.Unlock()
	two.Announce()
	eventually(t, "the change is known", func() bool { return one.sees() == "22 3" && three.sees() == "1 22" })

	two.Leave()
	eventually(t, "who leaves is forgotten", func() bool { return one.sees() == "3" && three.sees() == "1" })
	if two.Others() != nil && len(two.Others()) > 0 {
		t.Errorf("who has left still knows %v", two.Others())
	}
	three.conn.Close() // as if it had died
	eventually(t, "who is silent is forgotten", func() bool { return one.sees() == "" })
	if others := one.Others(); len(others) != 0 {
		t.Errorf("the others are still %v", others)
	}
}

// While NATS is gone nobody hears anybody; afterwards they find each other again.
func TestNodesFindEachOtherAgain(t *testing.T) {
	t.Parallel()
	servers := natstest.Start(t, 1, nil)
	one, two := start(t, servers.URL(), "one", `1`), start(t, servers.URL(), "two", `2`)
	eventually(t, "both are there", func() bool { return one.sees() == "2" && two.sees() == "1" })
	servers.Stop(0)
	eventually(t, "both are alone", func() bool { return one.sees() == "" && two.sees() == "" })
	servers.Restart(0)
	eventually(t, "both are there again", func() bool { return one.sees() == "2" && two.sees() == "1" })
}

func TestTellAndAsk(t *testing.T) {
	t.Parallel()
	servers := natstest.Start(t, 1, nil)
	one, two, three := start(t, servers.URL(), "one", `1`), start(t, servers.URL(), "two", `2`), start(t, servers.URL(), "three", `3`)
	eventually(t, "all are there", func() bool {
		return one.sees() == "2 3" && two.sees() == "1 3" && three.sees() == "1 2"
	})
	one.Tell("news", []byte("hello"))
	one.Tell("unheard-of", []byte("hello"))
	for _, each := range []*site{two, three} {
		eventually(t, "the news is heard", func() bool {
			each.mu.Lock()
			defer each.mu.Unlock()
			return slices.Equal(each.told, []string{"hello"})
		})
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	answers, missing, err := one.Ask(ctx, "who", []byte("one"))
	if err != nil || len(missing) != 0 || len(answers) != 2 {
		t.Fatalf("answers %v, missing %v, %v", answers, missing, err)
	}
	for _, answer := range answers {
		if answer.Err != nil || string(answer.Content) != answer.Node.Name+" for one" {
			t.Errorf("%s answered %q, %v", answer.Node.Name, answer.Content, answer.Err)
		}
	}
	answers, _, _ = one.Ask(ctx, "who", []byte("nobody"))
	if len(answers) != 2 || answers[0].Err == nil || answers[0].Err.Error() != "nobody is here" {
		t.Errorf("an error was answered as %v", answers)
	}

	// Who does not answer is named, and is not waited for any longer than that.
	short, cancelShort := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancelShort()
	answers, missing, err = one.Ask(short, "unheard-of", nil)
	if err != nil || len(answers) != 0 || len(missing) != 2 || missing[0].Name != "three" {
		t.Errorf("a question that nobody understands: answers %v, missing %v, %v", answers, missing, err)
	}
	if _, _, err := one.Ask(context.Background(), "who", nil); err == nil {
		t.Error("a question without an end is asked")
	}
}

func TestNonsenseFromTheBusIsIgnoredAndCounted(t *testing.T) {
	t.Parallel()
	servers := natstest.Start(t, 1, nil)
	one, two := start(t, servers.URL(), "one", `1`), start(t, servers.URL(), "two", `2`)
	eventually(t, "both are there", func() bool { return one.sees() == "2" && two.sees() == "1" })
	say := func(subject, content string) {
		if err := two.conn.Publish(subject, []byte(content)); err != nil {
			t.Fatal(err)
		}
	}
	say("nodes.C.presence.stranger", `{`)
	say("nodes.C.presence.what-is-this", `{"name":"x","sequence":1}`)
	say("nodes.C.presence.stranger", strings.Repeat("x", maxMessage+1))
	say("nodes.C.presence.stranger", `{"name":"x","sequence":1,"description":"nonsense"}`)
	say("nodes.C.presence.stranger", `{"name":"x","sequence":1}`)
	say("nodes.C.ask.who", "without a way to answer")
	say("nodes.C.tell.news", strings.Repeat("x", maxMessage+1))
	say("nodes.C.tell.what", "")
	say("nodes.D.presence.stranger", `{"name":"x","sequence":1,"description":4}`)
	for reason, count := range map[string]int{"malformed": 2, "too large": 2, "refused": 1, "late": 1} {
		eventually(t, reason, func() bool { return one.count(reason) == count })
	}
	two.mu.Lock()
	two.says = `22`
	two.mu.Unlock()
	eventually(t, "it goes on", func() bool { return one.sees() == "22" })
}

func TestNamesOfNodesAndClusters(t *testing.T) {
	t.Parallel()
	for _, wrong := range []Options{
		{Cluster: "", Name: "n"}, {Cluster: "a.b", Name: "n"}, {Cluster: "nodes", Name: "n"}, {Cluster: ">", Name: "n"},
		{Cluster: "C"}, {Cluster: "C", Name: "a\nb"},
	} {
		if _, err := New(wrong); err == nil {
			t.Errorf("%+v is accepted", wrong)
		}
	}
}
