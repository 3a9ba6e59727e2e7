package natslog

import (
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/shelfcast/shelfcast/internal/catalog"
	"github.com/shelfcast/shelfcast/internal/catalog/logsuite"
	"github.com/shelfcast/shelfcast/internal/natslog/natstest"
)

func TestSuite(t *testing.T) {
	for _, size := range []int{1, 3} {
		t.Run(fmt.Sprintf("servers=%d", size), func(t *testing.T) {
			cluster := natstest.Start(t, size, nil)
			var streams atomic.Int64
			logsuite.Run(t, func(t *testing.T) logsuite.Place {
				name := fmt.Sprint("LOG", streams.Add(1))
				return func() (catalog.Log, error) {
					return Open(t.Context(), Options{Connection: Connection{URL: cluster.URL()}, Stream: name, Replicas: size})
				}
			})
		})
	}
}
