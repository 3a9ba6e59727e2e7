package exchange

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"io"
	"strings"
)

// rejects writes refused rows in the format of the file that they come from, each with its problem,
// so that they can be mended there and imported again. A nil one does nothing.
type rejects struct {
	to     io.Writer
	format Format
	table  *csv.Writer
	width  int
	count  int
}

func newRejects(to io.Writer, format Format, header []string) (*rejects, error) {
	if to == nil {
		return nil, nil
	}
	r := &rejects{to: to, format: format, width: len(header)}
	switch format {
	case CSV:
		if _, err := to.Write(byteOrderMark()); err != nil {
			return nil, err
		}
		r.table = csv.NewWriter(to)
		return r, r.table.Write(append([]string{problemColumn}, header...))
	case JSON:
		_, err := io.WriteString(to, "[")
		return r, err
	}
	return r, nil
}

func (r *rejects) add(row *Row) error {
	if r == nil {
		return nil
	}
	r.count++
	if r.table != nil {
		cells := row.Cells
		if cells == nil {
			cells = []string{string(row.Raw)}
		}
		line := append([]string{row.Problem}, cells...)
		for len(line) <= r.width {
			line = append(line, "")
		}
		return r.table.Write(line)
	}
	object, err := objectOf(row)
	if err != nil {
		return err
	}
	if r.format == JSON {
		between := "\n"
		if r.count > 1 {
			between = ",\n"
		}
		_, err = io.WriteString(r.to, between+object)
	} else {
		_, err = io.WriteString(r.to, object+"\n")
	}
	return err
}

// objectOf puts the problem before the members of a row, or before its text where it has none.
func objectOf(row *Row) (string, error) {
	problem, err := json.Marshal(row.Problem)
	if err != nil {
		return "", err
	}
	members := ""
	if raw := bytes.TrimSpace(row.Raw); json.Valid(raw) && raw[0] == '{' {
		var compact bytes.Buffer // a line of NDJSON is one
		if err := json.Compact(&compact, raw); err != nil {
			return "", err
		}
		members = strings.TrimPrefix(compact.String(), "{")
	} else {
		text, err := json.Marshal(string(row.Raw))
		if err != nil {
			return "", err
		}
		members = `"text":` + string(text) + "}"
	}
	if members != "}" {
		members = "," + members
	}
	return `{"` + problemColumn + `":` + string(problem) + members, nil
}

// close ends what add has written.
func (r *rejects) close() error {
	switch {
	case r == nil:
		return nil
	case r.table != nil:
		r.table.Flush()
		return r.table.Error()
	case r.format == JSON:
		_, err := io.WriteString(r.to, "\n]\n")
		return err
	}
	return nil
}
