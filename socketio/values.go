package socketio

import "slices"

// values is what the application keeps with a socket. It is a slice, since there are
// few, and the smallest map is ten times as large.
type values []value

type value struct{ key, value any }

func (v values) get(key any) any {
	for _, kept := range v {
		if kept.key == key {
			return kept.value
		}
	}
	return nil
}

// set adds a value, or changes the one in its place.
func (v *values) set(key, to any) {
	for i := range *v {
		if (*v)[i].key == key {
			(*v)[i].value = to
			return
		}
	}
	*v = append(*v, value{key, to})
}

func (v values) clone() values { return slices.Clone(v) }
