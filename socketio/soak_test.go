//go:build soak

package socketio_test

import (
	"testing"
	"time"

	"github.com/shelfcast/shelfcast/engineio"
	"github.com/shelfcast/shelfcast/socketio"
)

// slack is what a median may differ by that is the machine's noise and nobody's notice.
const slack = time.Millisecond

// Each attack runs beside a hundred healthy clients, of which none is dropped or misses an
// event, and whose median latency stays within 1.5 times that of a run whose attackers
// have a decoy.
func TestSoakPacketAttacks(t *testing.T) {
	s := scale{
		clients: 100, events: 500, workers: 20, interval: 20 * time.Millisecond, pace: 200 * time.Millisecond,
		options: socketio.Options{
			Options:       engineio.Options{PingInterval: 3 * time.Second, PingTimeout: 5 * time.Second},
			PacketTimeout: 2 * time.Second,
		},
	}
	for _, a := range attackers {
		t.Run(a.name, func(t *testing.T) {
			control := runAttack(t, a, s, true)
			attacked := runAttack(t, a, s, false)
			t.Logf("%-22s median %v, control %v; %d rounds, control %d; heap at most %+d kB of %d kB",
				a.name, attacked.median, control.median, attacked.rounds, control.rounds, attacked.heap>>10, attacked.bound>>10)
			if attacked.median > control.median*3/2 && attacked.median > control.median+slack {
				t.Errorf("median latency %v, control %v", attacked.median, control.median)
			}
			if attacked.heap > 32<<20 && !a.heavy { // those have their bound in runAttack
				t.Errorf("the heap grew by %d bytes", attacked.heap)
			}
		})
	}
}
