package bench

import "time"

// Report is the outcome of [Run]. Its JSON form is what `shelfcast bench --json` prints. Times are
// milliseconds and sizes bytes unless a name says otherwise.
type Report struct {
	Target   string    `json:"target"`
	Protocol Protocol  `json:"protocol"`
	Started  time.Time `json:"started"`

	Clients   int       `json:"clients"`
	Transport Transport `json:"transport"`
	Recovery  Recovery  `json:"recovery"`
	Load      LoadSaid  `json:"load"`

	Connect Connecting `json:"connect"`
	Phase
	// Server is there if Options.PID was set.
	Server *ServerUse `json:"server,omitempty"`
	// Generator is what measuring itself cost.
	Generator GeneratorUse `json:"generator"`
}

// LoadSaid is the Load that was asked for.
type LoadSaid struct {
	Rate            float64 `json:"rate,omitempty"` // posts a second; 0 is a closed loop
	Posters         int     `json:"posters"`
	WaitFor         WaitFor `json:"waitFor,omitempty"`
	WarmupSeconds   float64 `json:"warmupSeconds"`
	DurationSeconds float64 `json:"durationSeconds"`
}

// Connecting is how the crowd came in.
type Connecting struct {
	Seconds   float64 `json:"seconds"` // from the first attempt until the last client was in
	PerSecond float64 `json:"perSecond"`
	Refused   uint64  `json:"refused"` // attempts that failed and were repeated
	// Each is the time from a client's attempt that succeeded until the server had admitted it.
	Each Quantiles `json:"each"`
}

// Phase is what one round of posting did; see [Crowd.Post].
type Phase struct {
	Seconds float64 `json:"seconds"` // of posting, without warm-up and draining

	// Posts of the measured time. Accepted were answered 2xx; Refused otherwise; of Unanswered it
	// is not known whether they took effect.
	Posts          uint64  `json:"posts"`
	Accepted       uint64  `json:"accepted"`
	Refused        uint64  `json:"refused"`
	Unanswered     uint64  `json:"unanswered"`
	PostsPerSecond float64 `json:"postsPerSecond"`

	// Deliveries are the events of these posts that reached clients, each client's counted.
	Deliveries          uint64  `json:"deliveries"`
	DeliveriesPerSecond float64 `json:"deliveriesPerSecond"`
	// Lost are deliveries of accepted posts, warm-up included, that never came; Duplicates
	// came again. Both must be 0.
	Lost       uint64 `json:"lost"`
	Duplicates uint64 `json:"duplicates"`

	// Latency, each from the moment at which the post's request was sent.
	Latency struct {
		Answer Quantiles `json:"answer"` // until the HTTP answer
		Each   Quantiles `json:"each"`   // until its event reached a client; one value per delivery
		Last   Quantiles `json:"last"`   // until it had reached all; one value per post
	} `json:"latency"`

	// BytesReceived is all that clients received, handshakes and HTTP headers included, from
	// warm-up to draining.
	BytesReceived uint64 `json:"bytesReceived"`
	// Disconnects are connections that broke in that time, Reconnects those that came back.
	Disconnects uint64 `json:"disconnects"`
	Reconnects  uint64 `json:"reconnects"`

	// CPU is the server's (user and system, seconds) for the measured time, 0 without a PID;
	// CPUPerDelivery and CPUPerPost are microseconds.
	CPU            float64 `json:"serverCPUSeconds,omitempty"`
	CPUPerDelivery float64 `json:"serverCPUMicrosecondsPerDelivery,omitempty"`
	CPUPerPost     float64 `json:"serverCPUMicrosecondsPerPost,omitempty"`

	// GeneratorCPU is this process's own in the same time, likewise.
	GeneratorCPU            float64 `json:"generatorCPUSeconds"`
	GeneratorCPUPerDelivery float64 `json:"generatorCPUMicrosecondsPerDelivery"`

	// Timeline cuts the measured time into equal pieces, in order.
	Timeline []Interval `json:"timeline"`
	// Problems are what went wrong, in words, each once; at most 20.
	Problems []string `json:"problems,omitempty"`
}

// Interval is one piece of a Phase.
type Interval struct {
	Start      float64   `json:"start"` // seconds since measuring began
	Seconds    float64   `json:"seconds"`
	Posts      uint64    `json:"posts"` // sent
	Deliveries uint64    `json:"deliveries"`
	Each       Quantiles `json:"each"` // by arrival
	Last       Quantiles `json:"last"`
}

// Quantiles describe a distribution of times in milliseconds, exact to three digits. All are 0 if
// Count is.
type Quantiles struct {
	Count uint64  `json:"count"`
	Mean  float64 `json:"mean"`
	P50   float64 `json:"p50"`
	P90   float64 `json:"p90"`
	P99   float64 `json:"p99"`
	P999  float64 `json:"p999"`
	Max   float64 `json:"max"`
}

// ServerUse is what the watched process used.
type ServerUse struct {
	PID int `json:"pid"`
	// Resident set before the crowd connected, when it had and had settled, and at the end.
	RSSBefore    uint64 `json:"rssBefore"`
	RSSConnected uint64 `json:"rssConnected"`
	RSSAfter     uint64 `json:"rssAfter"`
	// RSSPerClient is RSSConnected over RSSBefore for each client.
	RSSPerClient float64 `json:"rssPerClient"`
	// ConnectCPU is the seconds that connecting took.
	ConnectCPU float64 `json:"connectCPUSeconds"`
}

// GeneratorUse is what this process used over the whole run.
type GeneratorUse struct {
	CPU float64 `json:"cpuSeconds"`
	RSS uint64  `json:"rss"` // at the end
}

// Faultless says whether every accepted post reached every client exactly once.
func (p *Phase) Faultless() bool { return p.Lost == 0 && p.Duplicates == 0 }
