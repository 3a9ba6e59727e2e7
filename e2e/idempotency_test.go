//go:build e2e

package e2e

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
)

// 100 people lean on the same button: identical requests under one key at the same time are one
// change, one event and one answer; a crash makes no difference, and nor do other kinds of write.
func TestOneIdempotencyKeyOneChange(t *testing.T) {
	t.Parallel()
	const parallel = 100
	server := startServerOnFixedPort(t, "--limits", "off")
	client := newAPI(t, server)
	book1 := idOf(t, client.add(t, "Stays", "Author Name"))
	book2 := idOf(t, client.add(t, "Goes", "Author Name"))
	watching := startFleet(t, server.url(), []member{{Name: "watcher", Role: "reader", Kind: "position", Client: "socket.io-client-4.8"}})

	writes := []struct {
		name, method, path string
		body               any
		otherPath          string
		other              any
	}{
		{"add", http.MethodPost, "/books", book{"title": "Once", "author": "Author Name"}, "/books", book{"title": "Twice", "author": "Author Name"}},
		{"replace", http.MethodPut, bookPath(book1), book{"title": "Changed once"}, bookPath(book1), book{"title": "Changed twice"}},
		{"toggle", http.MethodPost, bookPath(book1) + "/favorite", book{"userId": "anna"}, bookPath(book1) + "/favorite", book{"userId": "ben"}},
		{"delete", http.MethodDelete, bookPath(book2), nil, bookPath(book1), nil},
	}
	type heard struct {
		status                         int
		body, position, location, eTag string
	}
	// send makes the request in parallel and returns the one answer that all got.
	send := func(name, method, path string, body any) heard {
		t.Helper()
		header := http.Header{"Idempotency-Key": {"key of " + name}, "X-User-Id": {"anna"}}
		var (
			group    sync.WaitGroup
			mu       sync.Mutex
			answers  = make(map[heard]int)
			problems []error
		)
		for range parallel {
			group.Go(func() {
				got, err := client.tryWith(t.Context(), method, path, body, header.Clone())
				mu.Lock()
				defer mu.Unlock()
				if err != nil {
					problems = append(problems, err)
					return
				}
				answers[heard{got.status, string(got.body), got.header.Get("Shelfcast-Position"), got.header.Get("Location"), got.header.Get("ETag")}]++
			})
		}
		group.Wait()
		if len(problems) > 0 {
			t.Fatalf("%s: %d requests failed, the first: %v", name, len(problems), problems[0])
		}
		if len(answers) != 1 {
			t.Fatalf("%s: %d different answers to identical requests: %v", name, len(answers), answers)
		}
		for answer := range answers {
			return answer
		}
		return heard{}
	}

	first := make(map[string]heard)
	for _, w := range writes {
		before := client.position(t)
		first[w.name] = send(w.name, w.method, w.path, w.body)
		if got := first[w.name]; got.status/100 != 2 || got.position != client.position(t) || got.position == before {
			t.Errorf("%s: answer %+v, from %s to %s", w.name, got, before, client.position(t))
		}
	}
	after := client.position(t)

	server.kill(t)
	server.start(t)
	for _, w := range writes {
		if again := send(w.name, w.method, w.path, w.body); again != first[w.name] {
			t.Errorf("%s: after a crash %+v, before %+v", w.name, again, first[w.name])
		}
		header := http.Header{"Idempotency-Key": {"key of " + w.name}, "X-User-Id": {"anna"}}
		got, err := client.tryWith(t.Context(), w.method, w.otherPath, w.other, header)
		if err != nil || got.status != http.StatusConflict {
			t.Errorf("%s: another request under the key: %d, %v", w.name, got.status, err)
		}
	}
	if now := client.position(t); now != after {
		t.Errorf("repetitions moved the log from %s to %s", after, now)
	}

	// One more change, so that whatever came before it has come.
	client.add(t, "The last", "Author Name")
	want := map[string]int{"bookAdded": 2, "bookUpdated": 1, "favoriteUpdated": 1, "bookDeleted": 1}
	watching.await(t, "the last event", func(one become) error {
		if one.Events["bookAdded"] < want["bookAdded"] {
			return fmt.Errorf("events %v", one.Events)
		}
		return nil
	})
	for _, one := range watching.report(t) {
		for event, count := range want {
			if one.Events[event] != count {
				t.Errorf("%d %s, want %d", one.Events[event], event, count)
			}
		}
	}
}
