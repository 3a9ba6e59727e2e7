package main

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shelfcast/shelfcast/internal/catalog"
	"github.com/shelfcast/shelfcast/internal/live"
)

// failingLog is a log of which a test says how it does.
type failingLog struct {
	mu       sync.Mutex // guards what follows
	failing  error      // what the last write met
	writable error      // what the next will
	age      time.Duration
	tried    int
}

func (l *failingLog) Failing() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.failing
}

func (l *failingLog) Age() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.age
}

func (l *failingLog) Writable(context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.tried++
	l.failing = l.writable
	return l.writable
}

func TestHealthIsToldWhenItChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &failingLog{}
		var told []live.ServiceStatus // guarded by the log's lock
		watcher := watchHealth(log, func(status live.ServiceStatus) {
			log.mu.Lock()
			defer log.mu.Unlock()
			told = append(told, status)
		})
		set := func(failing, writable error, age time.Duration) {
			log.mu.Lock()
			defer log.mu.Unlock()
			log.failing, log.writable, log.age = failing, writable, age
		}
		expect := func(what string, want ...live.ServiceStatus) {
			t.Helper()
			time.Sleep(10 * healthInterval) // of the test's own clock
			synctest.Wait()
			log.mu.Lock()
			defer log.mu.Unlock()
			if len(told) != len(want) {
				t.Fatalf("%s: %+v was told, want %+v", what, told, want)
			}
			for i := range want {
				if told[i] != want[i] {
					t.Errorf("%s: %+v was told, want %+v", what, told[i], want[i])
				}
			}
			told = nil
		}
		expect("all is well")
		if log.tried > 0 {
			t.Error("a healthy log was made to write")
		}
		full := &catalog.Error{Code: catalog.CodeUnavailable, Detail: "the disk is full", Err: errors.New("at /secret")}
		set(full, full, 0)
		expect("writes fail", live.ServiceStatus{Detail: "the disk is full"})
		set(full, nil, 0)
		expect("a try succeeds", live.ServiceStatus{Writable: true})

		set(nil, nil, staleAfter-time.Millisecond)
		expect("an age that is usual")
		set(nil, nil, time.Minute)
		began := time.Now()
		expect("an age that is not", live.ServiceStatus{Writable: true, AsOf: began.Add(healthInterval - time.Minute)})
		set(nil, nil, 0)
		expect("new again", live.ServiceStatus{Writable: true})
		watcher.close()
		set(nil, nil, time.Minute)
		expect("closed")
	})
}
