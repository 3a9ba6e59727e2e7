package bench

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func gapsOf(s *seen, end uint64) (gaps []span) {
	s.gaps(end, func(gap span) bool { gaps = append(gaps, gap); return true })
	return gaps
}

func TestSeen(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		add   []uint64
		again []int // indexes of add that are not new
		gaps  []span
	}{
		{"nothing", nil, nil, []span{{0, 10}}},
		{"in order", []uint64{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, nil, nil},
		{"twice", []uint64{0, 1, 1, 0}, []int{2, 3}, []span{{2, 10}}},
		{"one is missing", []uint64{0, 1, 3, 4, 5, 6, 7, 8, 9}, nil, []span{{2, 3}}},
		{"the first is missing", []uint64{1, 2, 3, 4, 5, 6, 7, 8, 9}, nil, []span{{0, 1}}},
		{"backwards", []uint64{9, 8, 7, 6, 5, 4, 3, 2, 1, 0}, nil, nil},
		{"a gap is closed late", []uint64{0, 2, 4, 3, 1, 3}, []int{5}, []span{{5, 10}}},
		{"an old one again, behind gaps", []uint64{1, 4, 7, 1, 4, 7, 0}, []int{3, 4, 5}, []span{{2, 4}, {5, 7}, {8, 10}}},
		{"beyond the end", []uint64{0, 12}, nil, []span{{1, 10}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var s seen
			for i, number := range test.add {
				if isNew := s.add(number); isNew == slices.Contains(test.again, i) {
					t.Errorf("add %d: new is %t", number, isNew)
				}
			}
			if got := gapsOf(&s, 10); !slices.Equal(got, test.gaps) {
				t.Errorf("gaps %v, want %v", got, test.gaps)
			}
		})
	}
}

// Whatever the order, the spans say what a plain set says.
func TestSeenLikeASet(t *testing.T) {
	t.Parallel()
	for seed := range uint64(200) {
		random := rand.New(rand.NewPCG(seed, 0))
		var s seen
		set := make(map[uint64]bool)
		for range 100 {
			if random.IntN(20) == 0 {
				end := random.Uint64N(30)
				s.fill(end)
				for number := range end {
					set[number] = true
				}
				continue
			}
			number := random.Uint64N(60)
			if isNew := s.add(number); isNew == set[number] {
				t.Fatalf("seed %d: add %d: new is %t", seed, number, isNew)
			}
			set[number] = true
		}
		missing := make(map[uint64]bool)
		s.gaps(60, func(gap span) bool {
			for number := gap.begin; number < gap.end; number++ {
				missing[number] = true
			}
			return true
		})
		for number := range uint64(60) {
			if missing[number] == set[number] {
				t.Fatalf("seed %d: %d is in the set: %t, in a gap: %t", seed, number, set[number], missing[number])
			}
		}
	}
}

// A server that drops every other delivery does not make the generator grow; all are still counted.
func TestSeenIsBounded(t *testing.T) {
	t.Parallel()
	var s seen
	const posts = 4 * maxSpans
	for number := uint64(0); number < posts; number += 2 {
		s.add(number)
	}
	if len(s.spans) > maxSpans {
		t.Errorf("%d spans", len(s.spans))
	}
	c := client{seen: s}
	if lost := c.lost(accepted{end: posts}); lost != posts/2 {
		t.Errorf("%d lost, want %d", lost, posts/2)
	}
}

func TestLedgerCountsWhatWasAccepted(t *testing.T) {
	t.Parallel()
	l := newLedger(1)
	for range 6 {
		l.begin(false, nil)
	}
	for number, ok := range []bool{true, false, true, true} {
		l.answered(uint64(number), ok)
	}
	if known := l.known(); known != 4 {
		t.Errorf("the first without an answer is %d", known)
	}
	all := l.accepted()
	if diff := cmp.Diff([]uint64{1, 4, 5}, all.except); diff != "" || all.end != 6 {
		t.Errorf("end %d, except: %s", all.end, diff)
	}
	for _, test := range []struct {
		span span
		want uint64
	}{{span{0, 6}, 3}, {span{1, 2}, 0}, {span{0, 2}, 1}, {span{2, 4}, 2}, {span{4, 6}, 0}} {
		if got := all.count(test.span); got != test.want {
			t.Errorf("%v: %d accepted, want %d", test.span, got, test.want)
		}
	}
}

func TestLedgerEndsTheWaitOnce(t *testing.T) {
	t.Parallel()
	l := newLedger(2)
	done := make(chan struct{})
	number, _ := l.begin(true, done)
	post := l.find(number)
	if l.reached(post) {
		t.Error("one of two is not all")
	}
	if !l.reached(post) {
		t.Error("two of two are all")
	}
	<-done
	<-l.quiet
	l.answered(number, false) // too late to end anything
	if outstanding := l.outstanding.Load(); outstanding != 0 {
		t.Errorf("%d outstanding", outstanding)
	}
	if l.find(number+1) != nil {
		t.Error("a post is found that nobody made")
	}
}

func TestMarker(t *testing.T) {
	t.Parallel()
	m := newMarker()
	for _, number := range []uint64{0, 7, 123456789} {
		message := `42["bookAdded",{"id":1,"title":"` + m.title(number) + `"},"e-1"]`
		got, rest, found := m.find([]byte(message + message))
		if !found || got != number {
			t.Errorf("%s: %d, %t", message, got, found)
		}
		if again, _, found := m.find(rest); !found || again != number {
			t.Errorf("the second of two: %d, %t", again, found)
		}
		if _, _, found := newMarker().find([]byte(message)); found {
			t.Error("another run's post is found")
		}
	}
	for _, end := range []string{"", ".", "12", "12x.", "1234567890123456789."} {
		if number, _, found := m.find(append([]byte("x"), append(m.prefix, end...)...)); found {
			t.Errorf("%q: %d", end, number)
		}
	}
}
