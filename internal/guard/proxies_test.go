package guard

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestProxies(t *testing.T) {
	t.Parallel()
	proxies, err := ParseProxies([]string{"10.0.0.0/8", "2001:db8::1"})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name, peer string
		header     http.Header
		address    string // without port 0; "": as it was
		secure     bool
	}{
		{"nobody forwards", "10.1.1.1:5", nil, "10.1.1.1", false},
		{"one proxy", "10.1.1.1:5", http.Header{"X-Forwarded-For": {"198.51.100.7"}, "X-Forwarded-Proto": {"https"}}, "198.51.100.7", true},
		{"a stranger lies", "203.0.113.9:5", http.Header{"X-Forwarded-For": {"127.0.0.1"}, "X-Forwarded-Proto": {"https"}}, "", false},
		{"a client lies to the proxy", "10.1.1.1:5", http.Header{"X-Forwarded-For": {"127.0.0.1, 198.51.100.7"}}, "198.51.100.7", false},
		{"in a header of its own", "10.1.1.1:5", http.Header{"X-Forwarded-For": {"127.0.0.1", "198.51.100.7"}}, "198.51.100.7", false},
		{"it claims to be a proxy", "10.1.1.1:5", http.Header{"X-Forwarded-For": {"127.0.0.1, 10.2.2.2, 198.51.100.7, 10.3.3.3"}}, "198.51.100.7", false},
		{"proxies alone", "10.1.1.1:5", http.Header{"X-Forwarded-For": {"10.3.3.3"}}, "10.3.3.3", false},
		{"unknown", "10.1.1.1:5", http.Header{"X-Forwarded-For": {"127.0.0.1, unknown"}}, "10.1.1.1", false},
		{"nonsense", "10.1.1.1:5", http.Header{"X-Forwarded-For": {"127.0.0.1, <script>"}}, "10.1.1.1", false},
		{"empty", "10.1.1.1:5", http.Header{"X-Forwarded-For": {""}}, "10.1.1.1", false},
		{"commas", "10.1.1.1:5", http.Header{"X-Forwarded-For": {",,,"}}, "10.1.1.1", false},
		{"with a port", "10.1.1.1:5", http.Header{"X-Forwarded-For": {"198.51.100.7:4711"}}, "198.51.100.7", false},
		{"IPv6", "[2001:db8::1]:5", http.Header{"X-Forwarded-For": {"2001:db8:1::7"}}, "2001:db8:1::7", false},
		{"IPv6 with brackets", "[2001:db8::1]:5", http.Header{"X-Forwarded-For": {"[2001:db8:1::7]:80"}}, "2001:db8:1::7", false},
		{"IPv4 as IPv6", "[::ffff:10.1.1.1]:5", http.Header{"X-Forwarded-For": {"::ffff:198.51.100.7"}}, "198.51.100.7", false},
		{"RFC 7239", "10.1.1.1:5", http.Header{"Forwarded": {`for=127.0.0.1, for="[2001:db8:1::7]:80";proto=https`}}, "2001:db8:1::7", true},
		{"both", "10.1.1.1:5", http.Header{"Forwarded": {"for=127.0.0.1"}, "X-Forwarded-For": {"198.51.100.7"}}, "198.51.100.7", false},
		{"obfuscated", "10.1.1.1:5", http.Header{"Forwarded": {"for=_hidden"}}, "10.1.1.1", false},
		{"a long list", "10.1.1.1:5", http.Header{"X-Forwarded-For": {strings.Repeat("127.0.0.1,", 50_000) + "198.51.100.7"}}, "198.51.100.7", false},
		{"proxies without end", "10.1.1.1:5", http.Header{"X-Forwarded-For": {"127.0.0.1," + strings.Repeat("10.0.0.1,", 50_000) + "10.0.0.1"}}, "10.0.0.1", false},
		{"the last proto counts", "10.1.1.1:5", http.Header{"X-Forwarded-Proto": {"https, http"}}, "10.1.1.1", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			request := httptest.NewRequest(http.MethodGet, "/", nil)
			request.RemoteAddr = test.peer
			for name, values := range test.header {
				request.Header[name] = values
			}
			proxies.Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				if got := Peer(r.RemoteAddr).String(); test.address != "" && got != test.address || test.address == "" && r.RemoteAddr != test.peer {
					t.Errorf("the sender is %s", r.RemoteAddr)
				}
				if Secure(r) != test.secure {
					t.Errorf("secure: %t", Secure(r))
				}
			})).ServeHTTP(nil, request)
			if request.RemoteAddr != test.peer {
				t.Error("the request itself was changed")
			}
		})
	}
	for _, wrong := range []string{"0.0.0.0/0", "::/0", "10.0.0.1/8", "proxy.example", "fe80::1%eth0", ""} {
		if _, err := ParseProxies([]string{wrong}); err == nil {
			t.Errorf("%q is taken as a proxy", wrong)
		}
	}
}

func FuzzForwarded(f *testing.F) {
	f.Add("127.0.0.1, 10.0.0.1", `for="[::1]:80";proto=https`)
	proxies, err := ParseProxies([]string{"192.0.2.1"})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, xff, forwarded string) {
		for _, header := range []http.Header{{"X-Forwarded-For": {xff}}, {"Forwarded": {forwarded}}} {
			request := httptest.NewRequest(http.MethodGet, "/", nil)
			request.RemoteAddr, request.Header = "192.0.2.1:1", header
			proxies.Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				if !Peer(r.RemoteAddr).IsValid() {
					t.Errorf("the sender is %q", r.RemoteAddr)
				}
			})).ServeHTTP(nil, request)
		}
	})
}
