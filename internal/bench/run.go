package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"
)

// Run connects a crowd, posts Options.Load, and says how it went. When ctx ends during the load, or
// something fails after it, the report is there besides the error.
func Run(ctx context.Context, options Options) (*Report, error) {
	options, base, err := options.withDefaults()
	if err != nil {
		return nil, err
	}
	load, err := options.Load.withDefaults()
	if err != nil {
		return nil, err
	}
	report := &Report{
		Target: base.String(), Protocol: options.Protocol, Started: time.Now().UTC().Truncate(time.Second),
		Clients: options.Clients, Transport: options.Transport, Recovery: options.Recovery,
		Load: LoadSaid{
			Rate: load.Rate, Posters: load.Posters,
			WarmupSeconds: load.Warmup.Seconds(), DurationSeconds: load.Duration.Seconds(),
		},
	}
	if load.Rate == 0 {
		report.Load.WaitFor = load.WaitFor
	}
	before, err := usage(options.PID)
	if err != nil {
		return nil, err
	}
	crowd, err := Connect(ctx, options)
	if err != nil {
		return nil, err
	}
	defer crowd.Close() // again, after an error
	crowd.locations.keep = options.Cleanup
	report.Connect = crowd.Connecting()
	connectedCPU, err := usage(options.PID)
	if err != nil {
		return nil, err
	}
	crowd.watcher.enter(StageSettling)
	if err := crowd.Idle(ctx, options.Settle); err != nil {
		return nil, err
	}
	settled, err := usage(options.PID)
	if err != nil {
		return nil, err
	}
	phase, postErr := crowd.Post(ctx, options.Load, options.PID)
	if phase == nil {
		return nil, postErr
	}
	report.Phase = *phase
	after, err := usage(options.PID)
	if err == nil && options.PID != 0 {
		report.Server = &ServerUse{
			PID: options.PID, RSSBefore: before.RSS, RSSConnected: settled.RSS, RSSAfter: after.RSS,
			RSSPerClient: (float64(settled.RSS) - float64(before.RSS)) / float64(options.Clients),
			ConnectCPU:   (connectedCPU.CPU - before.CPU).Seconds(),
		}
	}
	own, _ := ReadProcess(os.Getpid()) // 0 where there is no /proc
	report.Generator = GeneratorUse{CPU: own.CPU.Seconds(), RSS: own.RSS}
	if options.Cleanup {
		crowd.watcher.enter(StageCleaning)
	}
	err = errors.Join(postErr, err, crowd.Close())
	if options.Cleanup {
		// What was interrupted shall leave nothing behind either.
		err = errors.Join(err, cleanUp(context.WithoutCancel(ctx), &options, crowd.locations.all))
		if n := crowd.unanswered.Load(); n > 0 {
			err = errors.Join(err, fmt.Errorf("%d posts were not answered: if they took effect, their books are left, with titles that begin with %q",
				n, crowd.marker().prefix))
		}
	}
	return report, err
}
