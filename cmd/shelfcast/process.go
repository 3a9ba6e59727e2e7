package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"slices"
	"sync"
	"syscall"

	"github.com/alecthomas/kong"
	"github.com/mattn/go-isatty"

	"github.com/shelfcast/shelfcast/internal/httpapi"
	"github.com/shelfcast/shelfcast/internal/logs"
)

// process is one run of the program: what the operating system gives it.
type process struct {
	args           []string
	stdin          io.Reader
	stdout, stderr io.Writer
	version        string
}

// commandLine is what kong parses: the settings and the commands.
type commandLine struct {
	Settings `embed:""`

	Serve         serveCommand       `cmd:"" default:"1" help:"Serve the catalogue (the default)."`
	Import        importCommand      `cmd:"" help:"Add the books of a file, or the sample books, to the catalogue. A book with the id of one that is there replaces it, favorites included if the file has them; others stay."`
	Export        exportCommand      `cmd:"" help:"Write the catalogue to a file."`
	Backup        backupCommand      `cmd:"" help:"Make, list, verify and restore backups of the catalogue."`
	Migrate       migrateCommand     `cmd:"" help:"Move the catalogue from a data directory into a NATS cluster or back, with everything that connected clients need to go on where they were. Exit codes: 0 moved, 1 nothing has changed, 2 run it again to finish it."`
	Check         checkCommand       `cmd:"" help:"Look for faults in the settings, the data directory, the log, the backups and the clock, and say what mends them. Exit codes: 0 none, 1 faults, 2 it could not look."`
	Token         tokenCommand       `cmd:"" help:"Print a token, or an address to sign in by, for --auth jwt."`
	Healthcheck   healthcheckCommand `cmd:"" help:"Exit with 0 if a server would take a write now, for containers and supervisors."`
	Bench         benchCommand       `cmd:"" help:"Load a server with clients and posts and measure what it carries."`
	Connections   connectionsCommand `cmd:"" help:"Show who is connected from where, or end a connection."`
	Block         blockCommand       `cmd:"" help:"Keep an address or a network out and close its connections, or list those that are."`
	Unblock       unblockCommand     `cmd:"" help:"Let an address or a network in again."`
	Refusals      refusalsCommand    `cmd:"" help:"Show who was refused lately, and why."`
	Configuration configCommand      `cmd:"" name:"config" help:"Look at the settings."`
	LogLevel      logLevelCommand    `cmd:"" name:"log-level" help:"Show or change which lines a running server logs."`
	Version       versionCommand     `cmd:"" help:"Print the version."`
}

// exitCode is how kong's wish to end the process (after --help, say) travels
// back to run: only main exits.
type exitCode int

// run parses the command line, runs the command and returns the exit code.
func (p *process) run(ctx context.Context) (code int) {
	defer func() {
		if value := recover(); value != nil {
			exit, ok := value.(exitCode)
			if !ok {
				panic(value)
			}
			code = int(exit)
		}
	}()
	var cli commandLine
	parser, err := kong.New(&cli,
		kong.Name("shelfcast"),
		kong.Description("A shared book catalogue that everyone sees change as it happens."),
		kong.Writers(p.stdout, p.stderr),
		kong.Exit(func(code int) { panic(exitCode(code)) }),
		kong.Configuration(loadConfig),
		kong.DefaultEnvars("SHELFCAST"),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.UsageOnError(),
	)
	if err != nil {
		return p.fail(err)
	}
	if err := kong.Visit(parser.Model, dropEmptyVariables); err != nil {
		return p.fail(err)
	}
	command, err := parser.Parse(p.args)
	if err != nil {
		if slices.Contains(p.args, "check") {
			err = errors.Join(err, p.reportUnusable(err))
		}
		return p.fail(err)
	}
	command.BindTo(ctx, (*context.Context)(nil))
	if err := command.Run(p, &cli.Settings, command.Model); err != nil {
		return p.fail(err)
	}
	return 0
}

func (p *process) fail(err error) int {
	fmt.Fprintf(p.stderr, "shelfcast: %v\n", err)
	if status := new(exitError); errors.As(err, &status) {
		return status.code
	}
	return 1
}

// exitError is an error with an exit code of its own.
type exitError struct {
	code int
	error
}

func (e *exitError) Unwrap() error { return e.error }

// openLog opens the log where, in the form and from the level that the settings
// name. The caller closes it.
func (p *process) openLog(s *Settings) (*logs.Log, error) {
	level, err := httpapi.ParseLogLevel(s.LogLevel)
	if err != nil {
		return nil, err // cannot happen: the flag is an enum of these names
	}
	return logs.Open(logs.Options{
		Stream: p.stderr, File: s.LogFile, Keep: s.LogKeep, Level: level,
		Text: s.LogFormat == "text" || s.LogFormat == "auto" && s.LogFile == "" && isTerminal(p.stderr),
	})
}

// logger is the log of a command that works by itself, on stderr, written
// before the command goes on.
func (p *process) logger(s *Settings) *slog.Logger {
	level, err := httpapi.ParseLogLevel(s.LogLevel)
	if err != nil {
		level = slog.LevelInfo // as in openLog
	}
	return logs.Direct(p.stderr, s.LogFormat == "text" || s.LogFormat == "auto" && isTerminal(p.stderr), level)
}

func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	return ok && isatty.IsTerminal(file.Fd())
}

type versionCommand struct{}

func (versionCommand) Run(p *process) error {
	_, err := fmt.Fprintln(p.stdout, "shelfcast", p.version)
	return err
}

type serveCommand struct{}

// Run serves until SIGINT or SIGTERM, then stops in order. A second signal
// ends the process at once: the log needs no orderly end.
func (serveCommand) Run(ctx context.Context, p *process, s *Settings) (err error) {
	signals, restore := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer restore()
	log, err := p.openLog(s)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	logger := log.Logger
	hangups := make(chan os.Signal, 1)
	if !isTerminal(p.stderr) { // closing a terminal ends what runs in it, by the same signal
		signal.Notify(hangups, syscall.SIGHUP) // from here on: a start may take a while
		defer signal.Stop(hangups)
	}
	program := New(*s, p.version, log)
	if err := program.Run(signals); err != nil {
		return err
	}
	p.welcome(s, program, logger)
	resting, stopResting := context.WithCancel(ctx)
	var background sync.WaitGroup
	defer background.Wait()
	defer stopResting()
	background.Go(func() { returnMemory(resting) })
	background.Go(func() { toggleDebug(resting, hangups, log.Level, logger) })

	var failure error
	select {
	case <-signals.Done():
		restore() // from here on a signal has its usual effect
		if s.clustered() {
			logger.Info("handing the clients over to other nodes", "within", s.DrainSpread)
			program.HandOver(ctx, s.DrainSpread)
		}
		logger.Info("stopping", "within", s.ShutdownTimeout)
	case failure = <-program.Failed():
		logger.Error("stopping, because a part failed", "error", failure)
	}
	restore()
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.ShutdownTimeout)
	defer cancel()
	err = program.Close(stopping)
	if failure == nil && err == nil {
		logger.Info("stopped")
	}
	return errors.Join(failure, err)
}

// welcome tells a person at a terminal what they need; everybody else gets the
// same as a log line.
func (p *process) welcome(s *Settings, program *Program, logger *slog.Logger) {
	person := isTerminal(p.stdout) && isTerminal(p.stderr) && s.LogFormat == "auto"
	if !person || s.LogFile != "" {
		logger.Info("listening", "url", program.URL(), "data", s.Data, "version", p.version)
	}
	if !person {
		return
	}
	fmt.Fprintf(p.stdout, "\n  Shelfcast %s is listening on %s\n\n"+
		"    %s         the library\n"+
		"    %s/owner   the owner's desk\n"+
		"    %s/docs    the API\n\n"+
		"  Data: %s    Stop: Ctrl-C\n\n",
		p.version, program.URL(), program.URL(), program.URL(), program.URL(), s.Data)
}
