package main

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"time"
)

// measured is what `plan measure` found out on one machine: the parameters of the plan. Times of CPU
// are those of the node's process alone, the kernel's part included, in microseconds.
type measured struct {
	Date      string `json:"date"`
	Version   string `json:"version"`
	Processor string `json:"processor"`
	Cores     int    `json:"cores"`
	Kernel    string `json:"kernel"`

	// EmptyMegabytes is the RSS of a node before anybody came.
	EmptyMegabytes float64 `json:"emptyMegabytes"`
	Sizes          []size  `json:"sizes"`

	// ConnectMicros is the CPU of one client that comes back by WebSocket and has missed nothing,
	// CatchUpMicros that of each change which it has missed.
	ConnectMicros float64 `json:"connectMicros"`
	CatchUpMicros float64 `json:"catchUpMicros"`
	// TLSMicros is what TLS adds to a connection, wherever it ends.
	TLSMicros float64 `json:"tlsMicros"`
	// KernelBytes is what the kernel takes for one end of an idle connection.
	KernelBytes float64 `json:"kernelBytes"`
	// FollowMicros is the CPU of one change on a node without clients.
	FollowMicros float64 `json:"followMicros"`
	// NATSOutBytes is what one NATS server sent for each change, on average of the three, to its peers
	// and to three nodes; NATSMicros is its CPU.
	NATSOutBytes float64 `json:"natsOutBytes"`
	NATSMicros   float64 `json:"natsMicros"`

	// Restarts are real storms, to hold the simulation against.
	Restarts []restart `json:"restarts"`
}

// size is what so many clients on one node cost.
type size struct {
	Clients           int     `json:"clients"`
	RSSMegabytes      float64 `json:"rssMegabytes"` // of the node, connected and at rest
	ConnectsPerSecond float64 `json:"connectsPerSecond"`
	Loads             []load  `json:"loads"`
}

// load is what a rate of changes cost.
type load struct {
	Rate              float64 `json:"rate"` // changes a second
	CPUShare          float64 `json:"cpuShare"`
	MicrosPerDelivery float64 `json:"microsPerDelivery"`
	LastP99           float64 `json:"lastP99"` // milliseconds from the post to the last client
}

// restart is one node that was killed with everybody on it, and started again.
type restart struct {
	Clients      int     `json:"clients"`
	Missed       int     `json:"missed"`       // changes, by each client
	DownSeconds  float64 `json:"downSeconds"`  // until the node took clients again
	TookSeconds  float64 `json:"tookSeconds"`  // until every client was in step
	CPUSeconds   float64 `json:"cpuSeconds"`   // of the new process
	StartSeconds float64 `json:"startSeconds"` // of CPU that its start alone takes
}

//go:embed measured.json
var measuredFile []byte

func readMeasured() (measured, error) {
	var m measured
	if err := json.Unmarshal(measuredFile, &m); err != nil {
		return m, fmt.Errorf("measured.json: %w", err)
	}
	return m, nil
}

func micros(us float64) time.Duration { return time.Duration(us * float64(time.Microsecond)) }
