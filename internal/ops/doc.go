// Package ops keeps the catalogue's files: the mirror books.json and the
// restore of a foreign one, which it reads in the handbook's own format,
// and the sample data.
package ops
