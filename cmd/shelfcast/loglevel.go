package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/shelfcast/shelfcast/internal/httpapi"
)

type logLevelCommand struct {
	Level string `arg:"" optional:"" enum:"debug,info,warn,error," default:"" help:"debug, info, warn or error. Without it, the present level is printed."`
}

// Run asks the running server, whose level it is.
func (c logLevelCommand) Run(ctx context.Context, p *process, s *Settings) error {
	method, query := http.MethodGet, url.Values{}
	if c.Level != "" {
		method = http.MethodPut
		query.Set("level", c.Level)
	}
	response, err := callAdmin(ctx, s.Data, method, "/log-level", query, nil)
	if errors.Is(err, errNoServer) {
		return fmt.Errorf("no server is running on %s; --log-level sets the level of one that starts", s.Data)
	}
	if err != nil {
		return err
	}
	defer response.Body.Close()
	var answer logLevelAnswer
	if err := json.NewDecoder(io.LimitReader(response.Body, 64<<10)).Decode(&answer); err != nil {
		return fmt.Errorf("reading the answer: %w", err)
	}
	_, err = fmt.Fprintln(p.stdout, answer.Level)
	return err
}

type logLevelAnswer struct {
	Level string `json:"level"`
}

// serveLogLevel answers the command.
func serveLogLevel(level *slog.LevelVar, logger *slog.Logger) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPut {
			name := r.URL.Query().Get("level")
			chosen, err := httpapi.ParseLogLevel(name)
			if err != nil {
				answerProblem(w, err)
				return
			}
			level.Set(chosen)
			logger.Warn("the log level was changed", "level", name, "user", "operator")
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(logLevelAnswer{Level: strings.ToLower(level.Level().String())}) // as answerAdmin
	}
}

// toggleDebug lets SIGHUP, which supervisors and kill can send, turn debug lines on and back to the
// level that the program started with (info, if that is debug), until ctx ends.
func toggleDebug(ctx context.Context, hangups <-chan os.Signal, level *slog.LevelVar, logger *slog.Logger) {
	configured := max(level.Level(), slog.LevelInfo)
	for {
		select {
		case <-ctx.Done():
			return
		case <-hangups:
		}
		next := slog.LevelDebug
		if level.Level() == slog.LevelDebug {
			next = configured
		}
		level.Set(next)
		logger.Warn("the log level was changed", "level", strings.ToLower(next.String()), "user", "SIGHUP")
	}
}
