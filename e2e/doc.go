// Package e2e tests the built program from outside: over its REST API, with the official Socket.IO
// clients under Node and in two browsers, on its data directory, and against signals.
//
// The tests carry the build tag e2e, because they need npm packages and chromium;
// `make test-e2e` installs both and runs them.
package e2e
