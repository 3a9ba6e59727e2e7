package sqlitelog

import (
	"encoding/binary"
	"hash/crc32"

	"zombiezen.com/go/sqlite"
)

// sealedRow binds the values of one row and sums them up, so that a check finds a byte that has
// changed on the disk: SQLite itself has no checksums outside of the write-ahead log. The order
// of the calls is that of the columns in sealedTables.
type sealedRow struct {
	stmt *sqlite.Stmt
	seal seal
}

func (r *sealedRow) integer(param int, n int64) {
	r.stmt.BindInt64(param, n)
	r.seal.integer(n)
}

func (r *sealedRow) text(param int, text string) {
	r.stmt.BindText(param, text)
	r.seal.text(text)
}

// optional binds NULL for nil.
func (r *sealedRow) optional(param int, text *string) {
	if text != nil {
		r.text(param, *text)
		return
	}
	r.stmt.BindNull(param)
	r.seal.null()
}

// run binds the sum and executes the statement.
func (r *sealedRow) run(param int) error {
	r.stmt.BindInt64(param, int64(r.seal))
	return run(r.stmt)
}

// seal is a CRC-32C of values, each with its kind and length.
type seal uint32

func (s *seal) add(kind byte, length int, value []byte) {
	var head [9]byte
	head[0] = kind
	binary.BigEndian.PutUint64(head[1:], uint64(length))
	table := crc32.MakeTable(crc32.Castagnoli) // made once by the package
	*s = seal(crc32.Update(crc32.Update(uint32(*s), table, head[:]), table, value))
}

func (s *seal) null()            { s.add('n', 0, nil) }
func (s *seal) integer(n int64)  { s.add('i', int(n), nil) }
func (s *seal) text(text string) { s.add('t', len(text), []byte(text)) }

// sealedTables are the columns of each table in the order in which they are summed up.
func sealedTables() map[string]string {
	const book = "id, title, author, return_date_time, reader_name, created_at, updated_at, created_sequence, sequence"
	return map[string]string{
		"books":             book,
		"deleted_books":     book + ", favorites, deleted_at, version",
		"favorites":         "book_id, user_id, given_at, sequence",
		"removed_favorites": "book_id, user_id, removed_at, sequence",
	}
}

// sealOf sums up the first columns of a row that was read.
func sealOf(stmt *sqlite.Stmt, columns int) seal {
	var s seal
	for i := range columns {
		switch stmt.ColumnType(i) {
		case sqlite.TypeInteger:
			s.integer(stmt.ColumnInt64(i))
		case sqlite.TypeText:
			s.text(stmt.ColumnText(i))
		default:
			s.null()
		}
	}
	return s
}
