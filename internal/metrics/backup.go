package metrics

import (
	"math"
	"time"
)

// Backups is how backups stand, for metrics.
type Backups struct {
	Every    time.Duration // between scheduled ones; 0: none are scheduled
	Failures int           // of the schedule, in a row
	// Covered is when a good backup last held everything: when the newest was made, or when nothing was
	// found to have changed since. The zero time: there is none, or they cannot be looked at.
	Covered time.Time
}

// WatchBackups shows how backups stand, asked at each scrape. It is called once at most.
func (m *Metrics) WatchBackups(backups func() Backups, now func() time.Time) {
	f := factory{m.runtime} // a look at a directory is for scrapes, not for every second
	f.gaugeOf("backup_age_seconds", "Since a good backup last held everything: since the newest was made, or nothing was found to have changed. +Inf without one.",
		func() float64 {
			covered := backups().Covered
			if covered.IsZero() {
				return math.Inf(1)
			}
			return max(0, now().Sub(covered).Seconds()) // the clock may have been set back
		})
	f.gaugeOf("backup_interval_seconds", "Between scheduled backups; 0 without a schedule.", func() float64 { return backups().Every.Seconds() })
	f.gaugeOf("backup_failures", "Scheduled backups that failed, in a row; 0 after one that did not.", func() float64 { return float64(backups().Failures) })
}
