package httpapi_test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// Over a real connection: somebody who sends ten megabytes reads the refusal, and no cut line.
func TestLargeBodiesAreAnsweredOverTheNetwork(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	server := httptest.NewServer(f.api)
	t.Cleanup(server.Close)
	for _, chunked := range []bool{false, true} {
		body := strings.NewReader(`{"author":"A","title":"` + strings.Repeat("x", 10<<20) + `"}`)
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/books", body)
		if err != nil {
			t.Fatal(err)
		}
		if chunked {
			request.ContentLength = -1
		}
		response, err := server.Client().Do(request)
		if err != nil {
			t.Errorf("chunked %t: %v", chunked, err)
			continue
		}
		answer := readAll(t, response)
		if response.StatusCode != http.StatusRequestEntityTooLarge {
			t.Errorf("chunked %t: %d", chunked, response.StatusCode)
		}
		checkProblem(t, response, answer, "Request too large", "")
	}
	if events := f.taken(); events != nil {
		t.Errorf("events %v", events)
	}
}

// A body that ends early changes nothing and harms nobody.
func TestCutBodiesChangeNothing(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	server := httptest.NewServer(f.api)
	t.Cleanup(server.Close)
	connection, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	if err := connection.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	const whole = `{"title":"Emma","author":"Jane Austen"}`
	if _, err := fmt.Fprintf(connection, "POST /books HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s", len(whole)+1, whole); err != nil {
		t.Fatal(err)
	}
	if err := connection.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(connection), nil)
	if err != nil {
		t.Fatal(err)
	}
	checkProblem(t, response, readAll(t, response), "Invalid input", "")
	if events := f.taken(); events != nil {
		t.Errorf("events %v", events)
	}
}
