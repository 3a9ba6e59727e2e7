package bench

import (
	"slices"
	"testing"
)

func TestMarkersInAMessage(t *testing.T) {
	t.Parallel()
	m := marker{prefix: []byte("mark #")}
	for _, test := range []struct {
		name, message string
		want          []uint64
	}{
		{"none", `42["bookAdded",{"title":"another"}]`, nil},
		{"one", `42["bookAdded",{"title":"` + m.title(7) + `"}]`, []uint64{7}},
		{"several, joined", `{"title":"` + m.title(1) + "\"}\n{\"title\":\"" + m.title(12) + `"}`, []uint64{1, 12}},
		{"cut off", "mark #12", nil},
		{"no number", "mark #.", nil},
		{"no digits", "mark #1a.", nil},
		{"too long", "mark #1234567890123456789.", nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var got []uint64
			for number, rest, found := m.find([]byte(test.message)); found; number, rest, found = m.find(rest) {
				got = append(got, number)
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("found %v, want %v", got, test.want)
			}
		})
	}
}
