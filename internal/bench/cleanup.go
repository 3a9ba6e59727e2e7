package bench

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// locations are where the posts went, as far as they are to be deleted. Safe for concurrent use.
type locations struct {
	mu   sync.Mutex
	keep bool
	all  []string
}

func (l *locations) add(location string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.keep && location != "" {
		l.all = append(l.all, location)
	}
}

// cleaners is how many deletions are under way at a time.
const cleaners = 16

// cleanUp deletes what was posted. A server that says it is too much for it is given time.
func cleanUp(ctx context.Context, o *Options, all []string) error {
	options, base, err := o.withDefaults()
	if err != nil {
		return err
	}
	r := newRequests(&options, base.Scheme+"://"+base.Host, firstSource(&options), configFor(&options, base))
	defer r.close()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	queue := make(chan string)
	var deleted atomic.Int64
	var work sync.WaitGroup
	for range cleaners {
		work.Go(func() {
			for location := range queue {
				if err := r.remove(ctx, location); err != nil {
					cancel(err)
				} else {
					deleted.Add(1)
				}
			}
		})
	}
	for _, location := range all {
		select {
		case queue <- location:
			continue
		case <-ctx.Done():
		}
		break
	}
	close(queue)
	work.Wait()
	if err := context.Cause(ctx); err != nil {
		return fmt.Errorf("deleting what was posted: %d of %d books are left: %w", int64(len(all))-deleted.Load(), len(all), err)
	}
	return nil
}

// remove deletes one thing.
func (r *requests) remove(ctx context.Context, location string) error {
	if strings.HasPrefix(location, "/") {
		location = r.base + location
	}
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodDelete, location, nil)
		if err != nil {
			return err
		}
		request.Header.Set("X-User-Id", "bench")
		answer, err := r.do(request)
		if err != nil {
			return err
		}
		content, err := io.ReadAll(io.LimitReader(answer.Body, maxHead))
		answer.Body.Close()
		switch {
		case err != nil:
			return err
		case answer.StatusCode/100 == 2, answer.StatusCode == http.StatusNotFound, answer.StatusCode == http.StatusGone:
			return nil
		case answer.StatusCode != http.StatusTooManyRequests:
			return newStatusError(answer.StatusCode, content)
		}
		if !pauseFor(ctx, time.Second) {
			return context.Cause(ctx)
		}
	}
}
