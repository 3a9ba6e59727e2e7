package catalog

import "context"

// requestKey is where a context carries the id of the request that it belongs to.
type requestKey struct{}

// WithRequestID notes in a context which request asks for a command, so that the id can be found
// again in the operator's log wherever the change goes: Applied.RequestID. It is for people who
// read logs and decides nothing.
func WithRequestID(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, requestKey{}, id)
}

// RequestID gives what WithRequestID noted; "" when nothing was.
func RequestID(ctx context.Context) string {
	id, _ := ctx.Value(requestKey{}).(string)
	return id
}
