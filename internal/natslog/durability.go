package natslog

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// serverSync is how one server brings what it stores to the disk.
type serverSync struct {
	server   string
	always   bool          // before it acknowledges
	interval time.Duration // else
}

// askTimeout is how long the servers have to say how they sync.
const askTimeout = 500 * time.Millisecond

// sayHowItSyncs logs what an acknowledgement of this cluster is worth, as far as it can be known:
// servers tell how they sync to users of their system account only.
func (l *Log) sayHowItSyncs(ctx context.Context) {
	asking, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	info, err := readStream(asking, l.conn, l.subjects)
	if err != nil {
		return // the log is being closed, or the tails and barriers tell
	}
	l.logger.Info("an acknowledged change is stored in NATS: "+describeSync(info.Config.PersistMode, l.askServers(asking)),
		"stream", string(l.subjects), "replicas", info.Config.Replicas, "epoch", l.identity.epoch)
}

// describeSync says when a change is on the disk.
func describeSync(mode jetstream.PersistModeType, servers []serverSync) string {
	if mode == jetstream.AsyncPersistMode {
		return "written to the disk some time after it is acknowledged (persist mode async); a crash of the server may lose it"
	}
	if len(servers) == 0 {
		return "in the memory or file cache of a majority of the replicas; whether they sync before they acknowledge cannot be seen by this user " +
			"(only with sync_interval: always in each server's jetstream block do acknowledged changes survive a power cut of all of them)"
	}
	lazy := lazyServers(servers)
	if len(lazy) == 0 {
		return "synced to the disk of a majority of the replicas before it is acknowledged (sync_interval: always)"
	}
	return "in the file cache of a majority of the replicas, and synced later (" + strings.Join(lazy, ", ") +
		"); a power cut of a majority at once may lose it; sync_interval: always prevents that"
}

// lazyServers tells which servers acknowledge before they sync, and when they do.
func lazyServers(servers []serverSync) (lazy []string) {
	for _, one := range servers {
		if !one.always {
			lazy = append(lazy, fmt.Sprintf("%s every %s", one.server, one.interval))
		}
	}
	return lazy
}

// askServers asks every JetStream server how it syncs; none answers a user outside of the system
// account.
func (l *Log) askServers(ctx context.Context) []serverSync {
	inbox, err := l.conn.SubscribeSync(nats.NewInbox())
	if err != nil {
		return nil
	}
	defer inbox.Unsubscribe() //nolint:errcheck // it fails when it is gone already
	if err := l.conn.PublishRequest("$SYS.REQ.SERVER.PING.JSZ", inbox.Subject, nil); err != nil {
		return nil
	}
	var servers []serverSync
	for deadline := time.Now().Add(askTimeout); ctx.Err() == nil; {
		answer, err := inbox.NextMsg(time.Until(deadline))
		if err != nil || answer.Header.Get("Status") != "" {
			break
		}
		var told struct {
			Server struct {
				Name string `json:"name"`
			} `json:"server"`
			Data struct {
				Disabled bool `json:"disabled"`
				Config   struct {
					SyncAlways   bool          `json:"sync_always"`
					SyncInterval time.Duration `json:"sync_interval"`
				} `json:"config"`
			} `json:"data"`
		}
		if json.Unmarshal(answer.Data, &told) == nil && told.Server.Name != "" && !told.Data.Disabled {
			servers = append(servers, serverSync{told.Server.Name, told.Data.Config.SyncAlways, told.Data.Config.SyncInterval})
		}
	}
	return servers
}
