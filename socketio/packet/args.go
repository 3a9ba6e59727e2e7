package packet

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"
	"strconv"
	"sync"
	"unicode/utf8"
)

// Encoder turns Go values into the arguments of a packet. A []byte (or a value
// of a type made from it) anywhere inside an argument becomes a binary
// attachment; everything else is encoded as encoding/json does, without escaping
// HTML. A json.RawMessage is copied verbatim once it is known to be JSON, and a
// value with its own MarshalJSON or MarshalText is left to that method.
//
// The zero value is ready. An Encoder remembers which types cannot hold binary
// data; keep one for a long time. It is safe for concurrent use.
type Encoder struct {
	plain sync.Map // reflect.Type → bool: no binary data can be inside
}

// Args encodes the arguments of an Event or an Ack: the JSON of each, and the
// attachments of all. An *Error says which cannot be encoded, or that they have more
// than DefaultMaxAttachments attachments.
func (e *Encoder) Args(args ...any) ([]json.RawMessage, [][]byte, error) {
	if len(args) == 0 {
		return nil, nil, nil
	}
	encoded := make([]json.RawMessage, len(args))
	w := argWriter{encoder: e}
	for i, arg := range args {
		if raw, ok := arg.(json.RawMessage); ok && len(raw) > 0 {
			// Engine.IO text messages are UTF-8, which json.Valid does not check.
			if !json.Valid(raw) || !utf8.Valid(raw) {
				return nil, nil, invalid("json.RawMessage argument is not JSON in UTF-8")
			}
			encoded[i] = raw
			continue
		}
		if received, ok := arg.(Arg); ok {
			raw, err := w.received(received)
			if err != nil {
				return nil, nil, err
			}
			encoded[i] = raw
			continue
		}
		start := w.buf.Len()
		if err := w.value(reflect.ValueOf(arg)); err != nil {
			return nil, nil, &Error{Reason: "argument " + strconv.Itoa(i+1), Err: err}
		}
		encoded[i] = slices.Clone(w.buf.Bytes()[start:])
	}
	if len(w.attachments) > DefaultMaxAttachments {
		return nil, nil, invalid("too many attachments")
	}
	return encoded, w.attachments, nil
}

// argWriter encodes the arguments of one packet.
type argWriter struct {
	encoder     *Encoder
	buf         bytes.Buffer
	attachments [][]byte
	depth       int
}

// maxDepth bounds the nesting of values that may hold binary data, so that a
// cycle ends in an error, as it does in encoding/json.
const maxDepth = 1000

func (w *argWriter) value(v reflect.Value) error {
	if !v.IsValid() {
		w.buf.WriteString("null")
		return nil
	}
	if w.encoder.isPlain(v.Type()) {
		return w.marshal(v)
	}
	if w.depth++; w.depth > maxDepth {
		return invalid("value nested too deeply")
	}
	defer func() { w.depth-- }()

	switch v.Kind() {
	case reflect.Interface, reflect.Pointer:
		if v.IsNil() {
			w.buf.WriteString("null")
			return nil
		}
		return w.value(v.Elem())
	case reflect.Slice:
		if v.IsNil() {
			w.buf.WriteString("null")
			return nil
		}
		if v.Type().Elem().Kind() == reflect.Uint8 {
			w.attachment(v.Bytes())
			return nil
		}
		return w.list(v)
	case reflect.Array:
		return w.list(v)
	case reflect.Map:
		return w.dictionary(v)
	case reflect.Struct:
		return w.object(v)
	default:
		return w.marshal(v)
	}
}

func (w *argWriter) attachment(data []byte) {
	w.buf.WriteString(`{"_placeholder":true,"num":`)
	w.buf.WriteString(strconv.Itoa(len(w.attachments)))
	w.buf.WriteByte('}')
	w.attachments = append(w.attachments, data)
}

// received writes an argument that came in a packet, with its attachments
// numbered anew.
func (w *argWriter) received(arg Arg) (json.RawMessage, error) {
	if len(arg.Attachments) == 0 {
		return arg.JSON, nil
	}
	found, err := findPlaceholders(arg.JSON, len(arg.Attachments))
	if err != nil {
		return nil, err
	}
	start, from := w.buf.Len(), 0
	for _, ph := range found {
		w.buf.Write(arg.JSON[from:ph.start])
		w.attachment(arg.Attachments[ph.num])
		from = ph.end
	}
	w.buf.Write(arg.JSON[from:])
	return slices.Clone(w.buf.Bytes()[start:]), nil
}

// marshal encodes a value without binary data.
func (w *argWriter) marshal(v reflect.Value) error {
	encoder := json.NewEncoder(&w.buf)
	encoder.SetEscapeHTML(false)
	if v.CanAddr() && !v.Type().Implements(jsonMarshaler) {
		v = v.Addr() // a MarshalJSON with a pointer receiver counts as well
	}
	if err := encoder.Encode(v.Interface()); err != nil {
		return err
	}
	w.buf.Truncate(w.buf.Len() - 1) // the newline that Encode adds
	return nil
}

func (w *argWriter) list(v reflect.Value) error {
	w.buf.WriteByte('[')
	for i := range v.Len() {
		if i > 0 {
			w.buf.WriteByte(',')
		}
		if err := w.value(v.Index(i)); err != nil {
			return err
		}
	}
	w.buf.WriteByte(']')
	return nil
}

func (w *argWriter) dictionary(v reflect.Value) error {
	if v.IsNil() {
		w.buf.WriteString("null")
		return nil
	}
	type member struct {
		name  string
		value reflect.Value
	}
	members := make([]member, 0, v.Len())
	for iter := v.MapRange(); iter.Next(); {
		name, err := keyName(iter.Key())
		if err != nil {
			return err
		}
		members = append(members, member{name, iter.Value()})
	}
	slices.SortFunc(members, func(a, b member) int { return bytes.Compare([]byte(a.name), []byte(b.name)) })
	w.buf.WriteByte('{')
	for i, m := range members {
		if i > 0 {
			w.buf.WriteByte(',')
		}
		if err := w.member(m.name, m.value); err != nil {
			return err
		}
	}
	w.buf.WriteByte('}')
	return nil
}

func (w *argWriter) member(name string, v reflect.Value) error {
	if err := w.marshal(reflect.ValueOf(name)); err != nil {
		return err
	}
	w.buf.WriteByte(':')
	return w.value(v)
}
