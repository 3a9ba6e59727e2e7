// Package logs is where log lines go: to a stream or to a file that is rotated, in text or JSON,
// from a level that can be changed while the program runs, and never in the way of who logs.
package logs
