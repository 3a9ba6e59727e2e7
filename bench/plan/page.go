package main

import (
	"bytes"
	_ "embed"
	"fmt"
	"text/template"
)

//go:embed page.md.tmpl
var pageTemplate string

// simulatedClients is about how many are simulated of each crowd.
const simulatedClients = 10_000

// played is a scenario with its outcome.
type played struct {
	scenario
	outcome
}

// page writes docs/million-clients.md.
func page(m measured) ([]byte, error) {
	var storms []played
	for _, one := range m.storms() {
		one.Seed, one.Weight = 1, one.Clients/simulatedClients
		storms = append(storms, played{one, one.simulate()})
	}
	var fans []fanOut
	for _, rate := range []float64{0.1, 1, planRate, 20} {
		fans = append(fans, m.fanOut(rate))
	}
	parsed, err := template.New(pageName).Funcs(template.FuncMap{
		"seconds": seconds, "grouped": grouped,
		"micros":  func(d interface{ Seconds() float64 }) string { return fmt.Sprintf("%.1f", d.Seconds()*1e6) },
		"percent": func(share float64) string { return fmt.Sprintf("%.0f %%", 100*share) },
		"times":   func(a, b float64) float64 { return a * b },
		"float":   func(n int) float64 { return float64(n) },
		"last":    func(all []float64) float64 { return all[len(all)-1] },
	}).Parse(pageTemplate)
	if err != nil {
		return nil, err
	}
	var text bytes.Buffer
	err = parsed.Execute(&text, map[string]any{
		"M": &m, "Fans": fans, "Planned": m.fanOut(planRate), "Storms": storms, "Checks": m.checks(),
		"Clients": planClients, "Nodes": planNodes, "Share": planClients / planNodes, "NodeCores": nodeCores,
		"Balancers": balancers, "BalancerCores": balancerCore, "Rate": planRate,
		"NodeMegabytes":   m.EmptyMegabytes + planClients/planNodes*m.ClientBytes()/1e6,
		"KernelMegabytes": planClients / planNodes * m.KernelBytes / 1e6,
		"EnoughCores":     planClients * m.TLSMicros / 1e6 / connectTimeout.Seconds(),
		"Ports":           planClients / planNodes / balancers,
	})
	return text.Bytes(), err
}
