// Package metrics counts what the parts of the server tell it and shows that as Prometheus does.
// It fulfils the small Meter interfaces that those packages own, so none of them knows of it, and
// uses a registry of its own, so two servers in one process share nothing.
//
// Every label has a bounded number of values: names that a client could make up become "other".
package metrics
