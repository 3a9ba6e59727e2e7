package check

import (
	"context"
	"errors"

	"github.com/shelfcast/shelfcast/internal/move"
	"github.com/shelfcast/shelfcast/internal/natslog"
)

// Cluster checks the log in a cluster, and the cluster itself. replicas is how many servers should
// keep the log.
func Cluster(ctx context.Context, log *natslog.Log, replicas int) []Fault {
	names := map[natslog.FindingKind]string{
		natslog.NoQuorum: ClusterNoQuorum, natslog.FewReplicas: ClusterReplicas, natslog.SyncsLater: ClusterSync,
		natslog.ClockSkew: ClusterClock, natslog.OtherSettings: ClusterSettings,
	}
	var faults []Fault
	for _, finding := range log.Inspect(ctx, replicas) {
		faults = append(faults, New(names[finding.Kind], finding.Text))
	}
	return faults
}

// UnopenedCluster is the fault of a log in a cluster that cannot be opened.
func UnopenedCluster(err error) Fault {
	name := ClusterNoQuorum // it is reached, and nobody answers for the stream
	switch {
	case errors.As(err, new(*move.HeldError)):
		name = LogMoved
	case errors.Is(err, natslog.ErrUnreachable):
		name = ClusterUnreachable
	case errors.Is(err, natslog.ErrNoStream):
		name = LogMissing
	case errors.Is(err, natslog.ErrWrongSettings):
		name = ClusterSettings
	case errors.Is(err, natslog.ErrNotALog), errors.Is(err, natslog.ErrNewerFormat):
		name = LogUnreadable
	}
	return New(name, err.Error())
}
