package natslog

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// FindingKind says what sort of fault a Finding is.
type FindingKind string

const (
	NoQuorum      FindingKind = "no-quorum" // writes are not acknowledged
	FewReplicas   FindingKind = "replicas"  // the stream is kept on fewer servers than wanted
	SyncsLater    FindingKind = "sync"      // what is acknowledged is not on the disk yet
	ClockSkew     FindingKind = "clock"     // the servers have another time
	OtherSettings FindingKind = "settings"  // the stream's configuration is not what Open makes
)

// Finding is one thing that is wrong with the cluster, or with the stream in it.
type Finding struct {
	Kind FindingKind
	Text string // for the operator
}

const (
	// clockTolerance is how far the servers' clock may be off.
	clockTolerance = 5 * time.Second
	// inspectTimeout bounds each question to the cluster.
	inspectTimeout = 5 * time.Second
)

// Inspect looks at the stream, at the servers that keep it and at their clock, and whether a write is
// acknowledged. wanted is how many servers should keep the stream; 0: DefaultReplicas. How servers
// sync only those tell whom the log's user belongs to the system account with.
func (l *Log) Inspect(ctx context.Context, wanted int) []Finding {
	if wanted == 0 {
		wanted = DefaultReplicas
	}
	var findings []Finding
	add := func(kind FindingKind, format string, args ...any) {
		findings = append(findings, Finding{kind, fmt.Sprintf(format, args...)})
	}
	asking, cancel := context.WithTimeout(ctx, inspectTimeout)
	defer cancel()
	asked := l.now()
	info, err := readStream(asking, l.conn, l.subjects)
	answered := l.now()
	if err != nil {
		add(NoQuorum, "nobody answers for the stream %s: %v", l.subjects, err)
		return findings
	}
	for _, text := range unlikeMade(&info.Config, l.subjects) {
		add(OtherSettings, "stream %s: %s", l.subjects, text)
	}
	if info.Config.Replicas < wanted {
		add(FewReplicas, "stream %s has %d replicas, and %d are wanted", l.subjects, info.Config.Replicas, wanted)
	}
	for _, text := range absentReplicas(info.Cluster) {
		add(FewReplicas, "stream %s: %s", l.subjects, text)
	}
	// The servers' time was taken between the question and the answer.
	if early, late := asked.Sub(info.TimeStamp), info.TimeStamp.Sub(answered); max(early, late) > clockTolerance {
		add(ClockSkew, "the clock here says %s, that of the NATS servers %s", answered.UTC().Format(time.RFC3339), info.TimeStamp.UTC().Format(time.RFC3339))
	}
	if text := syncsLater(info.Config.PersistMode, l.askServers(asking)); text != "" {
		add(SyncsLater, "%s", text)
	}
	if mark, err := markOf(info.Config.Metadata); err == nil && mark.IsServed() {
		writing, cancel := context.WithTimeout(ctx, inspectTimeout)
		defer cancel()
		if _, err := l.barrier(writing); err != nil {
			add(NoQuorum, "a write to the stream %s is not acknowledged: %v", l.subjects, err)
		}
	}
	return findings
}

// absentReplicas tells which copies of the stream do not keep up.
func absentReplicas(cluster *jetstream.ClusterInfo) (texts []string) {
	if cluster == nil {
		return nil // a single server
	}
	for _, replica := range cluster.Replicas {
		switch {
		case replica.Offline:
			texts = append(texts, fmt.Sprintf("its copy on %s is offline", replica.Name))
		case !replica.Current:
			texts = append(texts, fmt.Sprintf("its copy on %s is %d messages behind, and was there %s ago", replica.Name, replica.Lag, replica.Active.Round(time.Second)))
		}
	}
	return texts
}

// syncsLater tells who acknowledges before it syncs; "" if nobody does, or nobody says.
func syncsLater(mode jetstream.PersistModeType, servers []serverSync) string {
	if mode == jetstream.AsyncPersistMode {
		return "the stream's persist mode is async"
	}
	if lazy := lazyServers(servers); len(lazy) > 0 {
		return "servers that sync later than they acknowledge: " + strings.Join(lazy, ", ")
	}
	return ""
}

// unlikeMade tells what in a stream's configuration differs from what Open makes.
func unlikeMade(c *jetstream.StreamConfig, name subjects) []string {
	texts := dangers(c, name)
	listens := name.all()
	if mark, err := markOf(c.Metadata); err == nil && isHeld(mark) {
		listens = name.held()
	}
	for _, one := range []struct {
		differs bool
		what    string
	}{
		{len(c.Subjects) != 1 || c.Subjects[0] != listens, fmt.Sprintf("its subjects are %q instead of %q", c.Subjects, listens)},
		{c.Sealed, "it is sealed: nothing can be written"},
		{c.NoAck, "no-ack is set: no write is acknowledged"},
		{c.MaxMsgSize > 0, fmt.Sprintf("max-msg-size is %d: large books are refused", c.MaxMsgSize)},
		{c.MaxBytes > 0, fmt.Sprintf("max-bytes is %d: when it is reached, nothing can be written", c.MaxBytes)},
		{!c.DenyDelete, "deny-delete is off: a message that is deleted brings back the book before it"},
		{!c.DenyPurge, "deny-purge is off: one command takes the catalogue away"},
		{c.Mirror != nil || len(c.Sources) > 0, "it copies from another stream"},
	} {
		if one.differs {
			texts = append(texts, one.what)
		}
	}
	return texts
}
