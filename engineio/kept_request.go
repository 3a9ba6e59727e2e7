package engineio

import (
	"net/http"
	"net/url"
	"strings"
	"time"
)

// keptRequest is what a session keeps of the request that opened it: text, in one piece,
// which is taken apart again when somebody asks. The maps that http.Request has would be
// most of the memory of an idle session, and what they refer to is the whole of the
// request's header.
type keptRequest struct {
	// text is the request target, the host, then each kept header's name and value, all
	// ended by a line feed, which none of them can contain.
	text       string
	remoteAddr string
	secure     bool
	opened     int64 // server time
}

func (o *Options) keep(r *http.Request, opened int64) keptRequest {
	var text strings.Builder
	line := func(s string) {
		text.WriteString(s)
		text.WriteByte('\n')
	}
	line(r.URL.RequestURI())
	line(r.Host)
	header := func(name string, values []string) {
		for _, value := range values {
			line(name)
			line(value)
		}
	}
	if o.KeepHeaders == nil {
		for name, values := range r.Header {
			header(name, values)
		}
	}
	for _, name := range o.KeepHeaders {
		name = http.CanonicalHeaderKey(name)
		header(name, r.Header[name])
	}
	secure := r.TLS != nil
	if o.Secure != nil {
		secure = o.Secure(r)
	}
	return keptRequest{text: strings.Clone(text.String()), remoteAddr: r.RemoteAddr, secure: secure, opened: opened}
}

// handshake takes the text apart. started is the origin of server time.
func (k *keptRequest) handshake(started time.Time) *Handshake {
	target, rest, _ := strings.Cut(k.text, "\n")
	host, rest, _ := strings.Cut(rest, "\n")
	h := &Handshake{
		Header: make(http.Header), URL: target, Host: host,
		RemoteAddr: k.remoteAddr, Secure: k.secure, Time: started.Add(time.Duration(k.opened)),
	}
	for rest != "" {
		var name, value string
		name, rest, _ = strings.Cut(rest, "\n")
		value, rest, _ = strings.Cut(rest, "\n")
		h.Header[name] = append(h.Header[name], value)
	}
	// As http.Request does it: what cannot be read in a query is left out.
	if u, err := url.ParseRequestURI(target); err == nil {
		h.Query = u.Query()
	}
	return h
}
