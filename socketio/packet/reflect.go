package packet

import (
	"encoding"
	"encoding/json"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

var (
	jsonMarshaler = reflect.TypeFor[json.Marshaler]()
	textMarshaler = reflect.TypeFor[encoding.TextMarshaler]()
)

// isPlain reports whether no value of the type can hold binary data, so that
// encoding/json may have it whole.
func (e *Encoder) isPlain(t reflect.Type) bool {
	if known, ok := e.plain.Load(t); ok {
		return known.(bool)
	}
	plain := !mayHoldBinary(t, map[reflect.Type]bool{})
	e.plain.Store(t, plain)
	return plain
}

// mayHoldBinary looks through a type. seen stops at types that contain
// themselves.
func mayHoldBinary(t reflect.Type, seen map[reflect.Type]bool) bool {
	if seen[t] {
		return false
	}
	seen[t] = true
	for _, marshaler := range []reflect.Type{jsonMarshaler, textMarshaler} {
		if t.Kind() != reflect.Interface && (t.Implements(marshaler) || reflect.PointerTo(t).Implements(marshaler)) {
			return false
		}
	}
	switch t.Kind() {
	case reflect.Interface:
		return true
	case reflect.Slice:
		return t.Elem().Kind() == reflect.Uint8 || mayHoldBinary(t.Elem(), seen)
	case reflect.Pointer, reflect.Array, reflect.Map:
		return mayHoldBinary(t.Elem(), seen)
	case reflect.Struct:
		for i := range t.NumField() {
			if mayHoldBinary(t.Field(i).Type, seen) {
				return true
			}
		}
	}
	return false
}

// keyName returns the member name of a map's key, as encoding/json does.
func keyName(key reflect.Value) (string, error) {
	if key.Kind() == reflect.String {
		return key.String(), nil
	}
	if m, ok := key.Interface().(encoding.TextMarshaler); ok {
		text, err := m.MarshalText()
		return string(text), err
	}
	switch {
	case key.CanInt():
		return strconv.FormatInt(key.Int(), 10), nil
	case key.CanUint():
		return strconv.FormatUint(key.Uint(), 10), nil
	default:
		return "", invalid("map key of type " + key.Type().String())
	}
}

// field is one member of a struct that may hold binary data.
type field struct {
	name      string
	index     []int
	tagged    bool
	omitEmpty bool
	omitZero  bool
}

// object encodes a struct whose type may hold binary data, by encoding/json's
// rules for names, embedding and omission. The "string" option is not honoured
// here: it exists for numbers and strings beyond JavaScript's precision, next to
// binary data nobody has asked for it.
func (w *argWriter) object(v reflect.Value) error {
	w.buf.WriteByte('{')
	first := true
	for _, f := range fieldsOf(v.Type()) {
		value, err := v.FieldByIndexErr(f.index)
		if err != nil { // inside a nil embedded pointer
			continue
		}
		if f.omitEmpty && isEmpty(value) || f.omitZero && value.IsZero() {
			continue
		}
		if !first {
			w.buf.WriteByte(',')
		}
		first = false
		if err := w.member(f.name, value); err != nil {
			return err
		}
	}
	w.buf.WriteByte('}')
	return nil
}

// fieldsOf lists the members of a struct type in encoding/json's order. Of
// several fields of one name the shallowest wins, then the one with a tag; a
// remaining tie drops them all.
func fieldsOf(t reflect.Type) []field {
	var all []field
	for _, sf := range reflect.VisibleFields(t) {
		if f, ok := memberOf(t, sf); ok {
			all = append(all, f)
		}
	}
	return slices.DeleteFunc(slices.Clone(all), func(f field) bool {
		return slices.ContainsFunc(all, func(other field) bool { return other.hides(f) })
	})
}

func (f field) hides(other field) bool {
	if f.name != other.name || slices.Equal(f.index, other.index) {
		return false
	}
	if len(f.index) != len(other.index) {
		return len(f.index) < len(other.index)
	}
	return f.tagged || !other.tagged
}

// memberOf reads a field's tag. It reports false for what is not a member.
func memberOf(t reflect.Type, sf reflect.StructField) (field, bool) {
	tag := sf.Tag.Get("json")
	if tag == "-" || inNamedStruct(t, sf.Index) {
		return field{}, false
	}
	name, options, _ := strings.Cut(tag, ",")
	if sf.Anonymous && name == "" && isStruct(sf.Type) {
		return field{}, false // its own fields are listed in its place
	}
	if !sf.IsExported() {
		return field{}, false
	}
	f := field{name: name, index: sf.Index, tagged: name != ""}
	if name == "" {
		f.name = sf.Name
	}
	for option := range strings.SplitSeq(options, ",") {
		f.omitEmpty = f.omitEmpty || option == "omitempty"
		f.omitZero = f.omitZero || option == "omitzero"
	}
	return f, true
}

// inNamedStruct reports whether a promoted field belongs to an embedded struct
// that has a name of its own (a tag) or is left out, and so is not promoted in
// JSON.
func inNamedStruct(t reflect.Type, index []int) bool {
	for depth := 1; depth < len(index); depth++ {
		tag := t.FieldByIndex(index[:depth]).Tag.Get("json")
		if name, _, _ := strings.Cut(tag, ","); name != "" {
			return true
		}
	}
	return false
}

func isStruct(t reflect.Type) bool {
	return t.Kind() == reflect.Struct || t.Kind() == reflect.Pointer && t.Elem().Kind() == reflect.Struct
}

func isEmpty(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Array, reflect.Map, reflect.Slice, reflect.String:
		return v.Len() == 0
	case reflect.Struct:
		return false
	default:
		return v.IsZero()
	}
}
