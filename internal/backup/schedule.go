package backup

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/shelfcast/shelfcast/internal/catalog"
)

// The pace of a schedule. Starts that follow each other quickly make no backup each.
const (
	settleTime   = time.Minute // after the start
	firstRetry   = time.Minute // after a failure; doubled with each further one
	longestRetry = time.Hour
)

// ScheduleOptions of a Schedule. Directory, Catalog and Every are required.
type ScheduleOptions struct {
	Directory *Directory
	Catalog   *catalog.Catalog
	Every     time.Duration // above 0
	Keep      int           // scheduled backups that are kept; below 1: all
	Logger    *slog.Logger  // nil: nothing is logged
}

// Status is how a schedule stands.
type Status struct {
	Every     string     `json:"every"` // as time.Duration writes it
	Keep      int        `json:"keep"`
	Last      *time.Time `json:"last"`      // of the newest scheduled backup; null: none
	Unchanged *time.Time `json:"unchanged"` // when nothing had changed since the newest one; null: something had
	Next      time.Time  `json:"next"`
	Failures  int        `json:"failures"` // in a row
	Failure   string     `json:"failure"`  // the last one; "" after a success
}

// Schedule makes a backup every so often, counted from the last one that there is, so that
// restarts neither multiply nor postpone them. One that fails is logged, stays visible in
// Status and is tried again, after a minute first and an hour at most. While nothing changes, no
// backup is made: equal ones would push those out that differ.
//
// Run works on its caller's goroutine; Status is safe at any time.
type Schedule struct {
	options ScheduleOptions
	logger  *slog.Logger

	mu     sync.Mutex // guards status; a leaf
	status Status
}

// NewSchedule makes a schedule. Nothing happens before Run.
func NewSchedule(options ScheduleOptions) *Schedule {
	s := &Schedule{options: options, logger: options.Logger}
	if s.logger == nil {
		s.logger = slog.New(slog.DiscardHandler)
	}
	s.status = Status{Every: options.Every.String(), Keep: options.Keep}
	return s
}

// Every is the time between two backups.
func (s *Schedule) Every() time.Duration { return s.options.Every }

// Status tells how the schedule stands.
func (s *Schedule) Status() Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.status
}

// Run makes backups until ctx ends.
func (s *Schedule) Run(ctx context.Context) {
	timer := time.NewTimer(max(settleTime, s.firstWait()))
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		timer.Reset(s.turn())
	}
}

// firstWait looks when the last scheduled backup was made.
func (s *Schedule) firstWait() time.Duration {
	now := s.options.Directory.options.Now()
	wait := time.Duration(0)
	// What cannot be listed cannot be written to either: the first turn tells.
	if list, err := s.options.Directory.List(); err == nil {
		for _, info := range list {
			if info.Reason == ReasonScheduled {
				last := info.CreatedAt
				wait = min(last.Add(s.options.Every).Sub(now), s.options.Every) // the clock may have been set back
				s.note(func(status *Status) { status.Last = &last })
				break
			}
		}
	}
	s.note(func(status *Status) { status.Next = now.Add(max(settleTime, wait)) })
	return wait
}

// turn makes one backup and says how long to wait for the next.
func (s *Schedule) turn() time.Duration {
	now := s.options.Directory.options.Now()
	err := s.backUp(now)
	wait := s.options.Every
	s.note(func(status *Status) {
		if err == nil {
			status.Failures, status.Failure = 0, ""
		} else {
			status.Failures++
			status.Failure = err.Error()
			wait = min(longestRetry, firstRetry<<min(status.Failures-1, 10), s.options.Every)
		}
		status.Next = now.Add(wait)
	})
	if err != nil {
		s.logger.Error("the scheduled backup failed", "error", err, "retry_after", wait)
	}
	return wait
}

func (s *Schedule) backUp(now time.Time) error {
	list, err := s.options.Directory.List()
	if err != nil {
		return err
	}
	snapshot := s.options.Catalog.Snapshot()
	if isUnchanged(list, snapshot.Position()) {
		s.note(func(status *Status) { status.Unchanged = &now })
		return nil
	}
	info, err := s.options.Directory.Create(snapshot, ReasonScheduled)
	if err != nil {
		return err
	}
	s.note(func(status *Status) { status.Last, status.Unchanged = &info.CreatedAt, nil })
	s.logger.Info("backup made", "name", info.Name, "books", info.Books, "bytes", info.Bytes, "position", info.Position)
	if s.options.Keep < 1 {
		return nil
	}
	removed, err := s.options.Directory.Prune(s.options.Keep)
	if len(removed) > 0 {
		s.logger.Info("old backups removed", "names", removed)
	}
	return err
}

// isUnchanged tells whether the newest good backup of the schedule holds this state already.
func isUnchanged(list []Info, position catalog.Position) bool {
	if position.Sequence == 0 {
		return true
	}
	for _, info := range list {
		if info.IsGood() && info.Reason == ReasonScheduled {
			return info.Position == position.String()
		}
	}
	return false
}

func (s *Schedule) note(change func(*Status)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.status)
}
