package metrics

import (
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/shelfcast/shelfcast/internal/catalog"
	"github.com/shelfcast/shelfcast/internal/sqlitelog"
)

// Catalog is told of the changes that commands store: a catalog.Meter.
type Catalog struct {
	appends  prometheus.Histogram
	lag      prometheus.Histogram
	failures *prometheus.CounterVec
	stats    atomic.Pointer[func() catalog.Stats]
	health   atomic.Pointer[func() (failing bool, age time.Duration)]
}

var _ catalog.Meter = (*Catalog)(nil)

func newCatalog(registry *prometheus.Registry) *Catalog {
	f := factory{registry}
	c := &Catalog{
		appends:  f.histogram("log_append_seconds", "From a change being handed to the log until it was durable.", latencies()),
		lag:      f.histogram("projection_lag_seconds", "From a change being durable until this node had applied and broadcast it.", latencies()),
		failures: f.counters("log_append_failures_total", "Changes that the log did not take, by the error's code.", "code"),
	}
	f.gaugeOf("books", "Books in the catalogue.", func() float64 { return float64(c.figures().TotalBooks) })
	f.gaugeOf("favorites", "Favorites in the catalogue.", func() float64 { return float64(c.figures().TotalFavorites) })
	f.gaugeOf("log_failing", "1 while changes are refused because the log does not take them, otherwise 0.", func() float64 {
		if failing, _ := c.state(); failing {
			return 1
		}
		return 0
	})
	f.gaugeOf("catalog_age_seconds", "How old the catalogue is, at most, that this node shows. In a cluster that works it stays below a second; a single node shows 0.", func() float64 {
		_, age := c.state()
		return age.Seconds()
	})
	f.gaugeOf("log_sequence", "The sequence of the last applied change.", func() float64 { return float64(c.figures().Position.Sequence) })
	return c
}

// Observe lets the size of the catalogue be asked, from now on. Before, it is 0.
func (c *Catalog) Observe(stats func() catalog.Stats) { c.stats.Store(&stats) }

// ObserveHealth lets the state of the log be asked, from now on. Before, all is well.
func (c *Catalog) ObserveHealth(state func() (failing bool, age time.Duration)) {
	c.health.Store(&state)
}

func (c *Catalog) state() (failing bool, age time.Duration) {
	if state := c.health.Load(); state != nil {
		return (*state)()
	}
	return false, 0
}

func (c *Catalog) figures() catalog.Stats {
	if stats := c.stats.Load(); stats != nil {
		return (*stats)()
	}
	return catalog.Stats{}
}

// ChangeStored implements catalog.Meter.
func (c *Catalog) ChangeStored(appended, applied time.Duration) {
	c.appends.Observe(appended.Seconds())
	c.lag.Observe(applied.Seconds())
}

// AppendFailed implements catalog.Meter.
func (c *Catalog) AppendFailed(code catalog.Code) { c.failures.WithLabelValues(knownCode(code)).Inc() }

// knownCode bounds the codes of errors.
func knownCode(code catalog.Code) string {
	return known(string(code), string(catalog.CodeInvalidInput), string(catalog.CodeUnauthenticated), string(catalog.CodeForbidden),
		string(catalog.CodeNotFound), string(catalog.CodeConflict), string(catalog.CodeKeyReused), string(catalog.CodePreconditionFailed),
		string(catalog.CodeTooManyRequests), string(catalog.CodeUnavailable), string(catalog.CodeInternal))
}

// Log is told of what the log does to the disk: a sqlitelog.Meter.
type Log struct {
	transactions prometheus.Histogram
	changes      prometheus.Counter
	failures     prometheus.Counter
	syncs        prometheus.Histogram
}

var _ sqlitelog.Meter = (*Log)(nil)

func newLog(registry *prometheus.Registry) *Log {
	f := factory{registry}
	return &Log{
		transactions: f.histogram("log_transaction_seconds", "How long a transaction of the log took, its sync included.", latencies()),
		changes:      f.counter("log_changes_total", "Changes that were stored."),
		failures:     f.counter("log_transaction_failures_total", "Transactions that could not be stored."),
		syncs:        f.histogram("log_sync_seconds", "How long a sync of the disk took.", latencies()),
	}
}

// Committed implements sqlitelog.Meter.
func (l *Log) Committed(changes int, took time.Duration) {
	l.transactions.Observe(took.Seconds())
	l.changes.Add(float64(changes))
}

// CommitFailed implements sqlitelog.Meter.
func (l *Log) CommitFailed() { l.failures.Inc() }

// Synced implements sqlitelog.Meter.
func (l *Log) Synced(took time.Duration) { l.syncs.Observe(took.Seconds()) }
