// Package exchange takes books in and out as files: JSON arrays in the handbook's form, NDJSON (a
// book a line), and CSV for spreadsheets. Files are read row by row, so that a large one takes no
// more memory than a small one, and one bad row does not keep the others out. Why it is done in
// this way is in ADR 0014.
package exchange
