// Package backup keeps copies of the whole catalogue at one position, which can be listed,
// verified down to the last byte and restored.
//
// A backup is a directory with the books as a plain file, the handbook's own format, and a
// manifest with checksums. It is made from the catalogue in memory, of which every part is
// stored already: no write waits for it, and it restores into any log, a new one included
// (docs/adr).
package backup
