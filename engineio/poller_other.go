//go:build !linux

package engineio

// poller is for Linux only: elsewhere each reader waits by itself.
type poller struct{}

func (p *poller) add(*webSocket) bool { return false }

func (p *poller) remove(*webSocket) {}

func (p *poller) close() {}
