package main

import (
	"fmt"
	"math"
	"time"
)

// scenario is a storm and what it is called.
type scenario struct {
	Name string
	storm
}

// Times of the official client and of our defaults.
const (
	pingInterval = 25 * time.Second
	pingTimeout  = 20 * time.Second
)

// storms are what can befall the planned cluster.
func (m *measured) storms() []scenario {
	const share = planClients / planNodes
	missed := func(away time.Duration) float64 { return planRate * away.Seconds() }
	down := func(s stage, until time.Duration) stage { s.UpAt = until; return s }
	admitting := func(s stage, perSecond float64) stage { s.Admit = perSecond; return s }
	narrow := func(s stage) stage { s.Cores = 0.5; return s }
	short := m.nodes(planNodes, missed(2*time.Second))
	all := m.front(balancers)
	return []scenario{
		{"a node's process dies", storm{Clients: share, Stages: []stage{all, m.nodes(planNodes-1, missed(2*time.Second))}}},
		{"a node's machine falls silent", storm{
			Clients: share, NoticedFrom: pingTimeout, NoticedTo: pingInterval + pingTimeout,
			Stages: []stage{all, m.nodes(planNodes-1, missed(pingInterval+pingTimeout))},
		}},
		{"a node stops in order (`--drain-spread 5s`)", storm{Clients: share, NoticedTo: 5 * time.Second, Stages: []stage{all, m.nodes(planNodes-1, missed(time.Second))}}},
		{"the same with `--drain-spread 60s`", storm{Clients: share, NoticedTo: time.Minute, Stages: []stage{all, m.nodes(planNodes-1, missed(time.Second))}}},
		{"one of three load balancers dies", storm{Clients: planClients / balancers, Stages: []stage{m.front(balancers - 1), short}}},
		{"all load balancers are away for 5 s", storm{Clients: planClients, Stages: []stage{down(all, 5*time.Second), m.nodes(planNodes, missed(8*time.Second))}}},
		{"all nodes are away for 5 s", storm{Clients: planClients, Stages: []stage{all, down(m.nodes(planNodes, missed(8*time.Second)), 5*time.Second)}}},
		{"nobody reaches anything for 2 minutes", storm{Clients: planClients, Stages: []stage{down(all, 2*time.Minute), m.nodes(planNodes, missed(2*time.Minute))}}},
		{"all load balancers away for 5 s, and they have half a core each for TLS", storm{Clients: planClients, Stages: []stage{narrow(down(all, 5*time.Second)), m.nodes(planNodes, missed(8*time.Second))}}},
		{"the same, and each lets 1,000 a second in", storm{Clients: planClients, Stages: []stage{admitting(narrow(down(all, 5*time.Second)), 1000), m.nodes(planNodes, missed(8*time.Second))}}},
	}
}

// check is a real storm beside its simulation.
type check struct {
	restart
	Cores     float64
	Simulated time.Duration
}

// checks plays the restarts that were measured. The clients ran on the same machine, so how much of it
// the node got follows from the longest restart, which for that reason proves least.
func (m *measured) checks() []check {
	longest := m.Restarts[len(m.Restarts)-1]
	cores := longest.CPUSeconds / (longest.TookSeconds - longest.DownSeconds)
	var all []check
	for _, r := range m.Restarts {
		s := storm{Clients: r.Clients, Seed: 1, Stages: []stage{{
			Machines: 1, Cores: cores, UpAt: time.Duration(r.DownSeconds * float64(time.Second)),
			Work: micros(m.ConnectMicros + float64(r.Missed)*m.CatchUpMicros), Opens: micros(m.ConnectMicros),
		}}}
		all = append(all, check{restart: r, Cores: cores, Simulated: s.simulate().All})
	}
	return all
}

// seconds writes a time for a table.
func seconds(d time.Duration) string {
	if d >= horizon {
		return fmt.Sprintf("not in %d min", int(horizon.Minutes()))
	}
	return fmt.Sprintf("%.1f s", d.Seconds())
}

// grouped writes a number with a comma after each three digits.
func grouped(number float64) string {
	text := fmt.Sprint(int64(math.Round(number)))
	for at := len(text) - 3; at > 0; at -= 3 {
		text = text[:at] + "," + text[at:]
	}
	return text
}
