package nodes

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestSilentNodesAreForgotten(t *testing.T) {
	t.Parallel()
	start := time.Now()
	r := newRoster(10 * time.Second)
	at := func(seconds float64) time.Time { return start.Add(time.Duration(seconds * float64(time.Second))) }
	hear := func(id string, sequence uint64, seconds float64) (bool, error) {
		return r.hear(id, &beat{Name: "node " + id, Sequence: sequence}, at(seconds))
	}
	if isNew, err := hear("a", 1, 0); !isNew || err != nil {
		t.Errorf("a node's first beat: %v, %v", isNew, err)
	}
	if isNew, err := hear("a", 5, 3); isNew || err != nil {
		t.Errorf("a node's second beat: %v, %v", isNew, err)
	}
	if _, err := hear("a", 4, 9); !errors.Is(err, errLate) {
		t.Errorf("a beat that was overtaken: %v", err)
	}
	if gone := r.expire(at(12.9)); len(gone) != 0 {
		t.Errorf("forgotten too early: %v", gone)
	}
	gone := r.expire(at(13))
	if len(gone) != 1 || gone[0].ID != "a" || !gone[0].Heard.Equal(at(3)) {
		t.Errorf("after 10 s of silence gone: %v", gone)
	}
	if isNew, err := hear("a", 6, 14); !isNew || err != nil {
		t.Errorf("a forgotten node that comes back: %v, %v", isNew, err)
	}
	if _, known := r.leave("a"); !known {
		t.Error("a node that leaves is not known")
	}
	if _, known := r.leave("a"); known {
		t.Error("a node leaves twice")
	}
}

func TestRosterIsBounded(t *testing.T) {
	t.Parallel()
	r, now := newRoster(time.Second), time.Now()
	for i := range maxNodes {
		if _, err := r.hear(fmt.Sprint(i), &beat{Name: "n", Sequence: 1}, now); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := r.hear("more", &beat{Name: "n", Sequence: 1}, now); !errors.Is(err, errTooMany) {
		t.Errorf("one node too many: %v", err)
	}
	if _, err := r.hear("0", &beat{Name: "n", Sequence: 2}, now); err != nil {
		t.Errorf("a known node of a full roster: %v", err)
	}
}

func TestBeatsOfOthersAreChecked(t *testing.T) {
	t.Parallel()
	for _, one := range []struct {
		what, content string
		want          error
	}{
		{"nothing", "", errMalformed},
		{"no object", `[]`, errMalformed},
		{"no name", `{"sequence":1}`, errMalformed},
		{"no sequence", `{"name":"n"}`, errMalformed},
		{"a negative sequence", `{"name":"n","sequence":-1}`, errMalformed},
		{"a name that steers a terminal", `{"name":"\u001b[2J","sequence":1}`, errMalformed},
		{"a long name", `{"name":"` + strings.Repeat("n", maxName+1) + `","sequence":1}`, errMalformed},
		{"too much", `{"name":"n","sequence":1,"description":"` + strings.Repeat("d", maxMessage) + `"}`, errTooLarge},
		{"a beat", `{"name":"n","sequence":1,"description":{}}`, nil},
		{"a beat of a later version", `{"name":"n","sequence":1,"colour":"red"}`, nil},
	} {
		if _, err := readBeat([]byte(one.content)); !errors.Is(err, one.want) {
			t.Errorf("%s: %v", one.what, err)
		}
	}
}

func FuzzReadBeat(f *testing.F) {
	f.Add([]byte(`{"name":"n","sequence":1,"description":{"people":{}}}`))
	f.Add([]byte(`{"name":"n","sequence":2,"leaving":true}`))
	f.Fuzz(func(t *testing.T, content []byte) {
		b, err := readBeat(content)
		if err == nil && (!isName(b.Name) || b.Sequence == 0) {
			t.Errorf("%q was read as %+v", content, b)
		}
	})
}
