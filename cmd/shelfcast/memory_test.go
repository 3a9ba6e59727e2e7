package main

import (
	"runtime"
	"testing"
)

func TestMemoryIsReturnedAtRest(t *testing.T) {
	const mega = 1 << 20
	for name, test := range map[string]struct {
		before, now memoryUse
		want        bool
	}{
		"after a burst":           {memoryUse{7, 30 * mega, 40 * mega}, memoryUse{7, 30 * mega, 41 * mega}, true},
		"while it works":          {memoryUse{7, 30 * mega, 40 * mega}, memoryUse{8, 30 * mega, 40 * mega}, false},
		"nothing to speak of":     {memoryUse{7, 3 * mega, 10 * mega}, memoryUse{7, 3 * mega, 10 * mega}, false},
		"little beside the rest":  {memoryUse{7, 30 * mega, 400 * mega}, memoryUse{7, 30 * mega, 400 * mega}, false},
		"just after it was given": {memoryUse{8, 0, 40 * mega}, memoryUse{8, 0, 40 * mega}, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got := test.now.worthReturning(test.before); got != test.want {
				t.Errorf("got %v", got)
			}
		})
	}
	runtime.GC()
	if use := readMemoryUse(); use.live == 0 || use.collections == 0 {
		t.Errorf("the runtime tells %+v", use)
	}
}
