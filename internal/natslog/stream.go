package natslog

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/shelfcast/shelfcast/internal/catalog"
	"github.com/shelfcast/shelfcast/internal/move"
)

// Keys of the stream's metadata, which survive restarts and changes of its configuration.
const (
	metadataEpoch  = "shelfcast-epoch"
	metadataKey    = "shelfcast-key"
	metadataFormat = "shelfcast-format"
	format         = "1"
	// Of a log that was moved into the stream:
	metadataHorizon = "shelfcast-horizon"
	metadataTable   = "shelfcast-positions"
	// What a move has noted, as JSON; there is none in a log that is served.
	metadataMove = "shelfcast-move"
)

var (
	// ErrNoStream means that there is nothing of that name.
	ErrNoStream = errors.New("there is no such stream")
	// errBeingMade: another node's wish to make the stream came first, and the servers are at it.
	errBeingMade = errors.New("another node is making the stream")
	// ErrNotALog means that the stream was not made by this program.
	ErrNotALog = errors.New("the stream is not a catalogue's log")
	// ErrNewerFormat means that a later version of this program wrote the stream.
	ErrNewerFormat = errors.New("the stream was written by a newer version")
	// ErrWrongSettings means that the stream's configuration was changed to one under which the log
	// does not keep what it promises.
	ErrWrongSettings = errors.New("the stream's configuration is not that of a log")
)

// identity is made with the stream, but for the mark.
type identity struct {
	epoch   string
	key     []byte
	horizon catalog.Sequence
	mark    move.Mark
}

func newIdentity() identity {
	key := make([]byte, 32)
	_, _ = rand.Read(key) // never fails, says its documentation
	return identity{epoch: strings.ToLower(rand.Text()[:16]), key: key}
}

func identityOf(metadata map[string]string) (identity, error) {
	if metadata[metadataEpoch] == "" {
		return identity{}, ErrNotALog
	}
	if metadata[metadataFormat] != format {
		return identity{}, fmt.Errorf("%w: format %q, and this one knows %q", ErrNewerFormat, metadata[metadataFormat], format)
	}
	key, err := base64.StdEncoding.DecodeString(metadata[metadataKey])
	if err != nil || len(key) != 32 {
		return identity{}, fmt.Errorf("%w: its key is damaged", ErrNotALog)
	}
	id := identity{epoch: metadata[metadataEpoch], key: key}
	if text := metadata[metadataHorizon]; text != "" {
		horizon, err := strconv.ParseUint(text, 10, 63)
		if err != nil {
			return identity{}, fmt.Errorf("%w: its horizon is damaged", ErrNotALog)
		}
		id.horizon = catalog.Sequence(horizon)
	}
	if id.mark, err = markOf(metadata); err != nil {
		return identity{}, fmt.Errorf("%w: %w", ErrNotALog, err)
	}
	return id, nil
}

// streamConfig is the configuration of a new log.
func streamConfig(name subjects, replicas int, id identity) jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name:        string(name),
		Description: "The catalogue of Shelfcast. Never purge it, and delete no message: deleted books would come back.",
		Subjects:    []string{name.all()},
		Retention:   jetstream.LimitsPolicy,
		Discard:     jetstream.DiscardNew,
		Storage:     jetstream.FileStorage,
		Replicas:    replicas,
		// The current state of every key, and nothing that expires but what says so itself.
		MaxMsgsPerSubject:  1,
		AllowMsgTTL:        true,
		AllowAtomicPublish: true,
		AllowDirect:        true,
		RePublish:          &jetstream.RePublish{Source: name.all(), Destination: republished + name.all()},
		// Writes are known by their commands; ids of messages would only take memory.
		Duplicates: time.Second,
		DenyDelete: true,
		DenyPurge:  true,
		Metadata: map[string]string{
			metadataEpoch:  id.epoch,
			metadataKey:    base64.StdEncoding.EncodeToString(id.key),
			metadataFormat: format,
		},
	}
}

// readStream gives what is known of a stream. Its errors wrap ErrNoStream if there is none.
func readStream(ctx context.Context, conn *nats.Conn, name subjects) (*jetstream.StreamInfo, error) {
	js, err := jetstream.New(conn)
	if err != nil {
		return nil, err
	}
	stream, err := js.Stream(ctx, string(name))
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return nil, ErrNoStream
	}
	if err != nil {
		return nil, err
	}
	return stream.CachedInfo(), nil
}

// openStream finds or makes the stream. Of several nodes that make it at the same time one wins,
// and the others find what it has made. A stream that exists is never changed here.
func openStream(ctx context.Context, conn *nats.Conn, name subjects, replicas int) (*jetstream.StreamInfo, error) {
	info, err := readStream(ctx, conn, name)
	if !errors.Is(err, ErrNoStream) {
		return info, err
	}
	js, err := jetstream.New(conn)
	if err != nil {
		return nil, err
	}
	_, err = js.CreateStream(ctx, streamConfig(name, replicas, newIdentity()))
	if err != nil && !errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) {
		return nil, fmt.Errorf("making the stream: %w", err)
	}
	if info, err = readStream(ctx, conn, name); errors.Is(err, ErrNoStream) {
		return nil, errBeingMade
	}
	return info, err
}

// checkStream refuses a stream under whose configuration the log could lose something.
func checkStream(info *jetstream.StreamInfo, name subjects) (identity, error) {
	id, err := identityOf(info.Config.Metadata)
	if err != nil {
		return id, err
	}
	if texts := dangers(&info.Config, name); len(texts) > 0 {
		return id, fmt.Errorf("%w: %s", ErrWrongSettings, strings.Join(texts, "; "))
	}
	return id, nil
}

// dangers tells under which settings the log could lose something, or not be read.
func dangers(c *jetstream.StreamConfig, name subjects) (texts []string) {
	for _, one := range []struct {
		wrong bool
		what  string
	}{
		{c.MaxMsgsPerSubject != 1, "max-msgs-per-subject is not 1"},
		{c.MaxAge != 0, "max-age is set: books would expire"},
		{c.MaxMsgs > 0, "max-msgs is set: books would be discarded"},
		{c.MaxBytes > 0 && c.Discard != jetstream.DiscardNew, "max-bytes discards old messages: books would be discarded"},
		{c.Retention != jetstream.LimitsPolicy, "the retention is not limits"},
		{c.Storage != jetstream.FileStorage, "the storage is not on disk"},
		{!c.AllowDirect, "allow-direct is off"},
		{!c.AllowAtomicPublish, "allow-atomic is off (NATS servers before 2.12 do not know it)"},
		{!c.AllowMsgTTL, "allow-msg-ttl is off"},
		{c.RePublish == nil || c.RePublish.Destination != republished+name.all() || c.RePublish.HeadersOnly, "the republish is missing"},
		{c.SubjectDeleteMarkerTTL != 0, "subject-delete-marker-ttl is set"},
	} {
		if one.wrong {
			texts = append(texts, one.what)
		}
	}
	return texts
}
