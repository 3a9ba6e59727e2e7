package msgpack

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/tinylib/msgp/msgp"
)

// maxDepth bounds how deeply a client's values may nest.
const maxDepth = 500

// maxNamespace bounds the length of a namespace in bytes.
const maxNamespace = 1024

func checkNamespace(name string) bool {
	return strings.HasPrefix(name, "/") && len(name) <= maxNamespace && valid(name) && !strings.Contains(name, ",")
}

func valid(s string) bool { return utf8.ValidString(s) }

// The extensions that clients use. Of type 0, undefined is a fixext of one byte, a
// Date one of eight, and an ArrayBuffer or typed array, in Node, an ext of any
// length. Newer ones send a Date as a timestamp.
const (
	extensionOfNotepack  = 0
	extensionOfTimestamp = -1
)

// isUndefined reports whether a member stands for one that is not there.
func isUndefined(data []byte) bool {
	return len(data) >= 2 && data[0] == 0xd4 && data[1] == extensionOfNotepack
}

// skip returns what follows a value. It counts instead of recursing, and believes
// no length that the data cannot hold.
func skip(data []byte) ([]byte, error) {
	for left := uint64(1); left > 0; left-- {
		switch msgp.NextType(data) {
		case msgp.MapType:
			members, rest, err := msgp.ReadMapHeaderBytes(data)
			if err != nil {
				return nil, err
			}
			left += 2 * uint64(members)
			data = rest
		case msgp.ArrayType:
			elements, rest, err := msgp.ReadArrayHeaderBytes(data)
			if err != nil {
				return nil, err
			}
			left += uint64(elements)
			data = rest
		case msgp.InvalidType:
			return nil, errPacket
		default:
			rest, err := msgp.Skip(data)
			if err != nil {
				return nil, err
			}
			data = rest
		}
		if left-1 > uint64(len(data)) {
			return nil, errPacket // each value has a byte at least
		}
	}
	return data, nil
}

// transcoder turns the values of one packet into JSON with placeholders.
type transcoder struct {
	maxBytes    int // of the JSON
	written     int
	attachments [][]byte
	depth       int
}

// value reads one value and returns it as JSON, and what follows it.
func (t *transcoder) value(data []byte) (json.RawMessage, []byte, error) {
	var out bytes.Buffer
	rest, err := t.write(&out, data)
	if t.written += out.Len(); err == nil && t.written > t.maxBytes {
		err = errTooLarge
	}
	return out.Bytes(), rest, err
}

func (t *transcoder) write(out *bytes.Buffer, data []byte) (rest []byte, err error) {
	if t.written+out.Len() > t.maxBytes {
		return nil, errTooLarge
	}
	switch msgp.NextType(data) {
	case msgp.NilType:
		out.WriteString("null")
		return msgp.ReadNilBytes(data)
	case msgp.BoolType:
		var v bool
		v, rest, err = msgp.ReadBoolBytes(data)
		out.WriteString(strconv.FormatBool(v))
		return rest, err
	case msgp.IntType:
		var v int64
		v, rest, err = msgp.ReadInt64Bytes(data)
		out.WriteString(strconv.FormatInt(v, 10))
		return rest, err
	case msgp.UintType:
		var v uint64
		v, rest, err = msgp.ReadUint64Bytes(data)
		out.WriteString(strconv.FormatUint(v, 10))
		return rest, err
	case msgp.Float32Type, msgp.Float64Type:
		var v float64
		if v, rest, err = msgp.ReadFloat64Bytes(data); err != nil {
			return nil, err
		}
		return rest, writeFloat(out, v)
	case msgp.StrType:
		var v string
		if v, rest, err = msgp.ReadStringBytes(data); err != nil {
			return nil, err
		}
		return rest, writeString(out, v)
	case msgp.BinType:
		return t.attachment(out, data)
	case msgp.ArrayType:
		return t.list(out, data)
	case msgp.MapType:
		return t.object(out, data)
	default:
		return t.extension(out, data)
	}
}

// writeFloat writes null for what JSON has no number for, as JavaScript does.
func writeFloat(out *bytes.Buffer, v float64) error {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		out.WriteString("null")
		return nil
	}
	text, err := json.Marshal(v)
	out.Write(text)
	return err
}

func writeString(out *bytes.Buffer, v string) error {
	if !valid(v) {
		return errValue
	}
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return err
	}
	out.Truncate(out.Len() - 1) // the newline that Encode adds
	return nil
}

func (t *transcoder) attachment(out *bytes.Buffer, data []byte) ([]byte, error) {
	v, rest, err := msgp.ReadBytesZC(data)
	if err != nil {
		return nil, err
	}
	return rest, t.attach(out, v)
}

// attach keeps binary data and writes its placeholder.
func (t *transcoder) attach(out *bytes.Buffer, v []byte) error {
	if len(t.attachments) >= MaxAttachments {
		return errAttachments
	}
	out.WriteString(`{"_placeholder":true,"num":` + strconv.Itoa(len(t.attachments)) + "}")
	t.attachments = append(t.attachments, v)
	return nil
}

func (t *transcoder) enter() error {
	if t.depth++; t.depth > maxDepth {
		return errDepth
	}
	return nil
}

func (t *transcoder) list(out *bytes.Buffer, data []byte) ([]byte, error) {
	if err := t.enter(); err != nil {
		return nil, err
	}
	defer func() { t.depth-- }()
	count, rest, err := msgp.ReadArrayHeaderBytes(data)
	if err != nil {
		return nil, err
	}
	out.WriteByte('[')
	for i := range count {
		if i > 0 {
			out.WriteByte(',')
		}
		if rest, err = t.write(out, rest); err != nil {
			return nil, err
		}
	}
	out.WriteByte(']')
	return rest, nil
}

func (t *transcoder) object(out *bytes.Buffer, data []byte) ([]byte, error) {
	if err := t.enter(); err != nil {
		return nil, err
	}
	defer func() { t.depth-- }()
	count, rest, err := msgp.ReadMapHeaderBytes(data)
	if err != nil {
		return nil, err
	}
	out.WriteByte('{')
	for i := range count {
		if i > 0 {
			out.WriteByte(',')
		}
		var name string
		if name, rest, err = msgp.ReadStringBytes(rest); err != nil {
			return nil, err
		}
		if name == "_placeholder" {
			return nil, errPlaceholder
		}
		if err = writeString(out, name); err != nil {
			return nil, err
		}
		out.WriteByte(':')
		if rest, err = t.write(out, rest); err != nil {
			return nil, err
		}
	}
	out.WriteByte('}')
	return rest, nil
}

// extension reads undefined, dates and what is binary.
func (t *transcoder) extension(out *bytes.Buffer, data []byte) ([]byte, error) {
	rest, err := msgp.Skip(data)
	if err != nil {
		return nil, err
	}
	whole := data[:len(data)-len(rest)]
	kind, body, ok := splitExtension(whole)
	fixed := ok && whole[0] >= 0xd4
	switch {
	case ok && kind == extensionOfNotepack && !fixed:
		return rest, t.attach(out, body)
	case ok && kind == extensionOfNotepack && len(body) == 1:
		out.WriteString("null")
	case ok && kind == extensionOfNotepack && len(body) == 8:
		return rest, writeTime(out, time.UnixMilli(int64(binary.BigEndian.Uint64(body))))
	case ok && kind == extensionOfTimestamp && len(body) == 4:
		return rest, writeTime(out, time.Unix(int64(binary.BigEndian.Uint32(body)), 0))
	case ok && kind == extensionOfTimestamp && len(body) == 8:
		v := binary.BigEndian.Uint64(body)
		return rest, writeTime(out, time.Unix(int64(v&(1<<34-1)), int64(v>>34)))
	case ok && kind == extensionOfTimestamp && len(body) == 12:
		return rest, writeTime(out, time.Unix(int64(binary.BigEndian.Uint64(body[4:])), int64(binary.BigEndian.Uint32(body))))
	default:
		return nil, errValue
	}
	return rest, nil
}

// splitExtension reads the header of an extension (MessagePack specification, ext
// format family).
func splitExtension(data []byte) (kind int8, body []byte, ok bool) {
	header := 0
	switch {
	case len(data) == 0:
		return 0, nil, false
	case data[0] >= 0xd4 && data[0] <= 0xd8: // fixext
		header = 1
	case data[0] >= 0xc7 && data[0] <= 0xc9: // ext 8, 16, 32
		header = 1 + 1<<(data[0]-0xc7)
	}
	if header == 0 || len(data) <= header {
		return 0, nil, false
	}
	return int8(data[header]), data[header+1:], true
}

// writeTime writes a date as JavaScript's JSON does.
func writeTime(out *bytes.Buffer, at time.Time) error {
	if year := at.UTC().Year(); year < 0 || year > 9999 {
		return errValue
	}
	return writeString(out, at.UTC().Format("2006-01-02T15:04:05.000Z"))
}

// appendJSON appends JSON as MessagePack, with attachments in the place of their
// placeholders. The sizes of lists and maps have to be known before their content,
// hence two passes.
func appendJSON(out []byte, text json.RawMessage, attachments [][]byte) ([]byte, error) {
	tokens, err := tokenize(text)
	if err != nil {
		return nil, err
	}
	for i := 0; i < len(tokens); i++ {
		switch v := tokens[i].value.(type) {
		case nil:
			out = msgp.AppendNil(out)
		case bool:
			out = msgp.AppendBool(out, v)
		case string:
			out = msgp.AppendString(out, v)
		case json.Number:
			if out, err = appendNumber(out, v); err != nil {
				return nil, err
			}
		case json.Delim:
			switch v {
			case '[':
				out = msgp.AppendArrayHeader(out, tokens[i].children)
			case '{':
				if data, ok := placeholder(tokens[i:], attachments); ok {
					out = msgp.AppendBytes(out, data)
					i += placeholderTokens - 1
					continue
				}
				out = msgp.AppendMapHeader(out, tokens[i].children/2)
			}
		}
	}
	return out, nil
}

// token is one of encoding/json; a list or map knows how many children it has.
type token struct {
	value    json.Token
	children uint32
}

func tokenize(text json.RawMessage) ([]token, error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var tokens []token
	var parents []int
	for {
		value, err := decoder.Token()
		if err != nil {
			return nil, err
		}
		if delim, ok := value.(json.Delim); ok && (delim == ']' || delim == '}') {
			parents = parents[:len(parents)-1]
			tokens = append(tokens, token{value: value})
		} else {
			if len(parents) > 0 {
				tokens[parents[len(parents)-1]].children++
			}
			if ok {
				parents = append(parents, len(tokens))
			}
			tokens = append(tokens, token{value: value})
		}
		if len(parents) == 0 {
			return tokens, nil
		}
	}
}

// placeholderTokens is how many tokens {"_placeholder":true,"num":0} has.
const placeholderTokens = 6

// placeholder returns the attachment that an object stands for.
func placeholder(tokens []token, attachments [][]byte) ([]byte, bool) {
	if len(attachments) == 0 || tokens[0].children != 4 || len(tokens) < placeholderTokens {
		return nil, false
	}
	flag, number := tokens[1:3], tokens[3:5]
	if flag[0].value == "num" {
		flag, number = number, flag
	}
	if flag[0].value != "_placeholder" || flag[1].value != true || number[0].value != "num" {
		return nil, false
	}
	text, ok := number[1].value.(json.Number)
	index, err := strconv.Atoi(string(text))
	if !ok || err != nil || index < 0 || index >= len(attachments) {
		return nil, false
	}
	return attachments[index], true
}

// appendNumber keeps whole numbers whole.
func appendNumber(out []byte, number json.Number) ([]byte, error) {
	if v, err := strconv.ParseInt(string(number), 10, 64); err == nil && number != "-0" {
		return msgp.AppendInt64(out, v), nil
	}
	if v, err := strconv.ParseUint(string(number), 10, 64); err == nil {
		return msgp.AppendUint64(out, v), nil
	}
	v, err := number.Float64()
	if err != nil {
		return nil, err
	}
	return msgp.AppendFloat64(out, v), nil
}
