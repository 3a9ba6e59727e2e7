package bench

import "slices"

// maxSpans bounds what a client remembers of gaps: 64 KB.
const maxSpans = 4096

// span is the numbers from begin up to, not including, end.
type span struct{ begin, end uint64 }

// seen is the set of post numbers that a client knows of. Numbers come nearly in order, so a few
// spans hold them, mostly one.
type seen struct {
	spans     []span // sorted, neither overlapping nor touching
	forgotten uint64 // numbers in gaps that were closed because there were too many
}

// add adds a number and says whether it is new.
func (s *seen) add(number uint64) bool {
	last := len(s.spans) - 1
	if last >= 0 && s.spans[last].end == number { // in order
		s.spans[last].end++
		return true
	}
	// i is the first span that begins after number.
	i := last + 1
	for i > 0 && s.spans[i-1].begin > number {
		i--
	}
	touchesBefore := i > 0 && s.spans[i-1].end >= number
	if touchesBefore && s.spans[i-1].end > number {
		return false
	}
	touchesAfter := i <= last && s.spans[i].begin == number+1
	switch {
	case touchesBefore && touchesAfter:
		s.spans[i-1].end = s.spans[i].end
		s.spans = slices.Delete(s.spans, i, i+1)
	case touchesBefore:
		s.spans[i-1].end++
	case touchesAfter:
		s.spans[i].begin--
	default:
		s.spans = slices.Insert(s.spans, i, span{number, number + 1})
		s.limit()
	}
	return true
}

// limit closes the lowest gap when there are too many.
func (s *seen) limit() {
	if len(s.spans) <= maxSpans {
		return
	}
	s.forgotten += s.spans[1].begin - s.spans[0].end
	s.spans[1].begin = s.spans[0].begin
	s.spans = slices.Delete(s.spans, 0, 1)
}

// gaps calls visit for each run of numbers below end that are not in the set, until visit returns
// false.
func (s *seen) gaps(end uint64, visit func(span) bool) {
	from := uint64(0)
	for _, have := range s.spans {
		if have.begin >= end {
			break
		}
		if have.begin > from && !visit(span{from, have.begin}) {
			return
		}
		from = have.end
	}
	if from < end {
		visit(span{from, end})
	}
}

// fill adds all numbers below end.
func (s *seen) fill(end uint64) {
	if end == 0 {
		return
	}
	i := 0
	for i < len(s.spans) && s.spans[i].begin <= end {
		end = max(end, s.spans[i].end)
		i++
	}
	s.spans = slices.Replace(s.spans, 0, i, span{0, end})
}
