package main

import (
	"container/heap"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/shelfcast/shelfcast/internal/bench"
)

// horizon is when a simulation ends at the latest: who is not back by then may never be.
const horizon = 10 * time.Minute

// connectTimeout is after how long the official client gives an attempt up (its option timeout).
const connectTimeout = 20 * time.Second

// storm is many clients that lose their connection and come back, as the official client does:
// after its pauses, each attempt on a machine of chance of every stage.
type storm struct {
	Clients int
	// Each simulated client stands for so many, which do everything together; 1 if 0. Simulating a few
	// ten thousand is as good as a million (TestCrowdsAreSimulatedByAFew).
	Weight int
	// A client notices its loss at any moment between these two, with the same chance.
	NoticedFrom, NoticedTo time.Duration
	// Stages are passed one after the other: load balancers, then nodes.
	Stages []stage
	Seed   uint64
}

// stage is machines that do the same.
type stage struct {
	Machines int
	Cores    float64       // of each, free for this
	Work     time.Duration // CPU for one client
	Opens    time.Duration // part of Work after which the client counts as connected; 0: all of it
	UpAt     time.Duration // until then every attempt is refused at once
	Admit    float64       // clients a second on each machine, the others are refused at once; 0: all
}

// outcome is how a storm went. Times are from its begin.
type outcome struct {
	Half, Most, All time.Duration // until half, 99 %, and all were back; horizon if they were not by then
	Attempts        float64       // of each client, on average
	Refused         int           // attempts
	GaveUp          int           // attempts that took longer than connectTimeout
	Peak            []float64     // of each stage: clients a second on one machine in the busiest second
	Waiting         []int         // of each stage: most clients under way on one machine
}

// simulate plays the storm, event after event. The same storm has the same outcome.
//
// A machine shares its cores evenly among all clients that it is working for. Programs finish some
// before they begin others, so this is the worst that overload can do: everybody waits longest. Since
// all want the same amount of work, they are done in the order in which they came.
func (s storm) simulate() outcome {
	s.Weight = max(1, s.Weight)
	sim := &simulation{storm: s, random: rand.New(rand.NewPCG(s.Seed, 1)), clients: make([]client, s.Clients/s.Weight)}
	sim.storm.Stages = slices.Clone(s.Stages)
	for i, st := range s.Stages {
		weighted := &sim.storm.Stages[i]
		weighted.Work, weighted.Opens, weighted.Admit = st.Work*time.Duration(s.Weight), st.Opens*time.Duration(s.Weight), st.Admit/float64(s.Weight)
		group := make([]machine, st.Machines)
		sim.machines = append(sim.machines, group)
		sim.finished = append(sim.finished, make(map[int64]int))
		sim.waiting = append(sim.waiting, 0)
	}
	for i := range sim.clients {
		noticed := s.NoticedFrom + time.Duration(sim.random.Float64()*float64(s.NoticedTo-s.NoticedFrom))
		sim.later(noticed+sim.pause(0), event{kind: attempt, client: i})
	}
	for sim.events.Len() > 0 && sim.now < horizon {
		sim.play(heap.Pop(&sim.events).(event))
	}
	return sim.outcome()
}

// simulation is a storm under way.
type simulation struct {
	storm    storm
	random   *rand.Rand
	now      time.Duration
	events   events
	sequence int
	clients  []client
	machines [][]machine // of each stage

	back     []time.Duration // of each client that is back, in order
	attempts int
	refused  int
	gaveUp   int
	finished []map[int64]int // of each stage: clients that passed, by second
	waiting  []int
}

type client struct {
	attempt        int     // number of the present one
	stage, machine int     // where it is, while it is somewhere
	until          float64 // when it passes there, on the machine's clock
}

// machine works for its clients. Its clock is the work that each of those present has got, had it been
// there from the beginning.
type machine struct {
	clock    float64 // seconds of CPU
	at       time.Duration
	present  int
	visits   []visit // of those present and of some that have given up, in the order of their ends
	planned  bool    // something is
	version  int     // of what is planned; older plans are void
	admitted float64 // tokens
	filled   time.Duration
}

type visit struct{ client, attempt int }

type kind int

const (
	attempt kind = iota // a client tries
	passed              // a machine is done with its first client
	giveUp              // a client has waited long enough
)

type event struct {
	at       time.Duration
	sequence int // events of one moment happen in the order in which they were planned
	kind     kind
	client   int
	number   int // attempt of the client, or version of the machine's plan
	stage    int
	machine  int
}

func (s *simulation) later(at time.Duration, e event) {
	e.at, e.sequence = at, s.sequence
	s.sequence++
	heap.Push(&s.events, e)
}

func (s *simulation) pause(attempt int) time.Duration {
	return bench.Pause(attempt, s.random.Float64())
}

func (s *simulation) play(e event) {
	s.now = e.at
	switch e.kind {
	case attempt:
		s.attempts++
		s.later(s.now+connectTimeout, event{kind: giveUp, client: e.client, number: s.clients[e.client].attempt})
		s.enter(e.client, 0)
	case giveUp:
		if s.clients[e.client].attempt == e.number && s.leave(e.client) {
			s.gaveUp++
			s.retry(e.client)
		}
	case passed:
		m := &s.machines[e.stage][e.machine]
		if m.version != e.number {
			return
		}
		s.advance(e.stage, m)
		first := m.visits[0]
		if m.clock+1e-9 < s.clients[first.client].until { // others came meanwhile
			s.plan(e.stage, e.machine)
			return
		}
		m.visits = m.visits[1:]
		m.present--
		s.plan(e.stage, e.machine)
		s.finished[e.stage][int64(s.now/time.Second)]++
		s.enter(first.client, e.stage+1)
	}
}

// back is the attempt of a client that needs no other.
const isBack = -1

// retry lets a client, whose attempt is a new one, try later.
func (s *simulation) retry(client int) {
	s.later(s.now+s.pause(s.clients[client].attempt), event{kind: attempt, client: client})
}

// enter brings a client to a stage; behind the last one it is back.
func (s *simulation) enter(client, stage int) {
	if stage == len(s.storm.Stages) {
		s.clients[client].attempt = isBack
		s.back = append(s.back, s.now)
		return
	}
	plan := s.storm.Stages[stage]
	number := s.random.IntN(plan.Machines)
	m := &s.machines[stage][number]
	if s.now < plan.UpAt || plan.Admit > 0 && !m.admits(s.now, plan.Admit) {
		s.refused++
		s.clients[client].attempt++
		s.retry(client)
		return
	}
	s.advance(stage, m)
	c := &s.clients[client]
	c.stage, c.machine, c.until = stage, number, m.clock+plan.Work.Seconds()
	m.visits = append(m.visits, visit{client, c.attempt})
	m.present++
	s.waiting[stage] = max(s.waiting[stage], m.present)
	if !m.planned { // else the first is done later than planned, which shows then
		s.plan(stage, number)
	}
}

// leave ends the visit of a client that gives up, unless it is connected by now and only waits for what
// it has missed. What was done for it was for nothing.
func (s *simulation) leave(client int) bool {
	c := s.clients[client]
	m, plan := &s.machines[c.stage][c.machine], s.storm.Stages[c.stage]
	s.advance(c.stage, m)
	got := plan.Work.Seconds() - (c.until - m.clock)
	if plan.Opens > 0 && got >= plan.Opens.Seconds() {
		return false
	}
	m.present--
	s.clients[client].attempt++ // its visit is void
	s.plan(c.stage, c.machine)
	return true
}

// admits takes a token from the machine's bucket, which holds those of a tenth of a second.
func (m *machine) admits(now time.Duration, perSecond float64) bool {
	m.admitted = min(perSecond/10, m.admitted+perSecond*(now-m.filled).Seconds())
	m.filled = now
	if m.admitted < 1 {
		return false
	}
	m.admitted--
	return true
}

// speed is how much CPU each client that is present gets in a second.
func (s *simulation) speed(stage int, m *machine) float64 {
	return min(1, s.storm.Stages[stage].Cores/float64(m.present))
}

func (s *simulation) advance(stage int, m *machine) {
	if m.present > 0 {
		m.clock += (s.now - m.at).Seconds() * s.speed(stage, m)
	}
	m.at = s.now
}

// plan plans when the machine will be done with its first client.
func (s *simulation) plan(stage, number int) {
	m := &s.machines[stage][number]
	m.version++
	m.planned = m.present > 0
	if !m.planned {
		m.visits = m.visits[:0]
		return
	}
	first := m.visits[0]
	for s.clients[first.client].attempt != first.attempt {
		m.visits = m.visits[1:]
		first = m.visits[0]
	}
	left := max(0, s.clients[first.client].until-m.clock) / s.speed(stage, m)
	s.later(s.now+time.Duration(left*float64(time.Second)), event{kind: passed, number: m.version, stage: stage, machine: number})
}

func (s *simulation) outcome() outcome {
	slices.Sort(s.back)
	at := func(share float64) time.Duration {
		if n := int(share * float64(len(s.clients))); n <= len(s.back) {
			return s.back[max(0, n-1)]
		}
		return horizon
	}
	o := outcome{
		Half: at(0.5), Most: at(0.99), All: at(1), Attempts: float64(s.attempts) / float64(len(s.clients)),
		Refused: s.refused * s.storm.Weight, GaveUp: s.gaveUp * s.storm.Weight,
	}
	for i, stage := range s.storm.Stages {
		busiest := 0
		for _, count := range s.finished[i] {
			busiest = max(busiest, count)
		}
		o.Peak = append(o.Peak, float64(busiest*s.storm.Weight)/float64(stage.Machines))
		o.Waiting = append(o.Waiting, s.waiting[i]*s.storm.Weight)
	}
	return o
}

// events is a heap by time.
type events []event

func (e events) Len() int { return len(e) }
func (e events) Less(i, j int) bool {
	return e[i].at < e[j].at || e[i].at == e[j].at && e[i].sequence < e[j].sequence
}
func (e events) Swap(i, j int)  { e[i], e[j] = e[j], e[i] }
func (e *events) Push(item any) { *e = append(*e, item.(event)) }
func (e *events) Pop() any {
	last := (*e)[len(*e)-1]
	*e = (*e)[:len(*e)-1]
	return last
}
