// Package e2e tests the built program from outside: over its REST API, with the official Socket.IO
// clients under Node and in two browser windows, on its data directory, and against signals. The
// tests named OfficialClients do without the program: they are about package socketio, in Node,
// chromium and Firefox.
//
// The tests carry the build tag e2e, because they need npm packages, chromium, firefox-esr and
// strace; `make test-e2e` installs these and runs the tests. Some have a long variant, for
// `make soak`.
package e2e
