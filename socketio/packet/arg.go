package packet

import (
	"encoding/json"
)

// Arg is one argument of an event or an acknowledgement as it was received. An
// Arg may itself be given to Encoder.Args, which sends it on, attachments
// included. It must not be changed, so it is safe for concurrent use.
type Arg struct {
	// JSON is the argument in which each attachment is represented by a
	// {"_placeholder":true,"num":i}.
	JSON json.RawMessage
	// Attachments are those of the whole packet, by number.
	Attachments [][]byte
}

// ArgsOf returns the arguments of an Event or an Ack, nil when it has none. They
// share the memory of p.
func ArgsOf(p *Packet) []Arg {
	if len(p.Args) == 0 {
		return nil
	}
	args := make([]Arg, len(p.Args))
	for i, raw := range p.Args {
		args[i] = Arg{JSON: raw, Attachments: p.Attachments}
	}
	return args
}

// Binary returns the argument's data when the argument as a whole is binary;
// not a copy.
func (a Arg) Binary() ([]byte, bool) {
	if len(a.Attachments) == 0 {
		return nil, false
	}
	start := skipSpace(a.JSON, 0)
	if start >= len(a.JSON) || a.JSON[start] != '{' {
		return nil, false
	}
	ph, ok, err := readPlaceholder(a.JSON, start, len(a.Attachments))
	if err != nil || !ok {
		return nil, false
	}
	return a.Attachments[ph.num], true
}

// Decode stores the argument in what dst points to, as json.Unmarshal does.
// Attachments go where the type has a []byte, and as []byte into an any that is
// dst itself; deeper in a typed value an any gets base64 text. The error is an
// *Error.
func (a Arg) Decode(dst any) error {
	switch dst := dst.(type) {
	case *Arg:
		*dst = a
		return nil
	case *json.RawMessage:
		*dst = a.JSON
		return nil
	case *[]byte:
		if data, ok := a.Binary(); ok {
			*dst = data
			return nil
		}
	case *any:
		if len(a.Attachments) > 0 {
			return a.decodeAny(dst)
		}
	}
	raw, err := inline(a.JSON, a.Attachments)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(raw, dst); err != nil {
		return &Error{Reason: "argument", Err: err}
	}
	return nil
}

func (a Arg) decodeAny(dst *any) error {
	var value any
	if err := json.Unmarshal(a.JSON, &value); err != nil {
		return &Error{Reason: "argument", Err: err}
	}
	*dst = a.restore(value)
	return nil
}

// restore puts the attachments back into a decoded value.
func (a Arg) restore(value any) any {
	switch value := value.(type) {
	case map[string]any:
		num, isNumber := value["num"].(float64)
		if value["_placeholder"] == true && isNumber && len(value) == 2 &&
			num >= 0 && int(num) < len(a.Attachments) {
			return a.Attachments[int(num)]
		}
		for name, member := range value {
			value[name] = a.restore(member)
		}
	case []any:
		for i, element := range value {
			value[i] = a.restore(element)
		}
	}
	return value
}
