// Package archtest holds the project's rules about its own source as tests: which package may
// import which (docs/architecture.md's table is the rule), how long a file may be, what nobody may
// be called, and which calls belong to main alone. It has no code for anybody to use.
package archtest
