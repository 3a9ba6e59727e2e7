package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"text/template"
)

// natsConfig is what the NATS servers of a measurement are told. They sync each write before they
// acknowledge it, as Shelfcast does on a single node.
const natsConfig = `server_name: n{{.Number}}
listen: 127.0.0.1:{{.Port}}
jetstream { store_dir: {{.Data}}, max_mem: 64M, max_file: 1G, sync_interval: always }
{{- if .Routes}}
cluster { name: bench, listen: 127.0.0.1:{{.Route}}, routes: [{{.Routes}}] }
{{- end}}
`

// startNATS starts a NATS server, or several that are clustered, and gives their addresses for
// --nats-url.
func (s *stage) startNATS(ctx context.Context, count int) (url string, servers []*server, err error) {
	ports, err := s.freePorts(2 * count)
	if err != nil {
		return "", nil, err
	}
	clients, peers := ports[:count], ports[count:]
	var urls, routes []string
	for i := range count {
		urls = append(urls, "nats://127.0.0.1:"+strconv.Itoa(clients[i]))
		routes = append(routes, "nats://127.0.0.1:"+strconv.Itoa(peers[i]))
	}
	if count == 1 {
		routes = nil // there is no cluster of one
	}
	layout := template.Must(template.New("nats.conf").Parse(natsConfig))
	for i := range count {
		s.runs++
		data := filepath.Join(s.folder, "run-"+strconv.Itoa(s.runs))
		if err := os.MkdirAll(data, 0o750); err != nil {
			return "", nil, err
		}
		var config strings.Builder
		if err := layout.Execute(&config, map[string]any{
			"Number": i + 1, "Port": clients[i], "Route": peers[i], "Routes": strings.Join(routes, ", "),
			"Data": strconv.Quote(filepath.Join(data, "jetstream")),
		}); err != nil {
			return "", nil, err
		}
		file := filepath.Join(data, "nats.conf")
		if err := os.WriteFile(file, []byte(config.String()), 0o600); err != nil {
			return "", nil, err
		}
		started, err := s.launch(ctx, contender{
			name: fmt.Sprintf("NATS server %d", i+1),
			command: func(programs programs, _ int, _ string) []string {
				return []string{programs.natsServer, "-c", file}
			},
		}, clients[i], data)
		if err != nil {
			return "", nil, err
		}
		servers = append(servers, started)
	}
	return strings.Join(urls, ","), servers, nil
}
