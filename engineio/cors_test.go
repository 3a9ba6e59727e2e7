package engineio

import (
	"net/http"
	"strings"
	"testing"
)

func TestCORS(t *testing.T) {
	const page = "https://page.example"
	byFunc := func(origin string) bool { return strings.HasSuffix(origin, ".example") }
	tests := []struct {
		name        string
		cors        *CORS
		origin      string
		allowed     string
		credentials string
	}{
		{"off", nil, page, "", ""},
		{"any", &CORS{Origins: []string{"*"}}, page, "*", ""},
		{"any has no credentials", &CORS{Origins: []string{"*"}, Credentials: true}, page, "*", ""},
		{"named", &CORS{Origins: []string{page}, Credentials: true}, page, page, "true"},
		{"not named", &CORS{Origins: []string{"https://other.example"}}, page, "", ""},
		{"by function", &CORS{AllowOrigin: byFunc}, page, page, ""},
		{"no origin", &CORS{AllowOrigin: byFunc}, "", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ts := serve(t, Options{CORS: tt.cors})
			header := http.Header{}
			if tt.origin != "" {
				header.Set("Origin", tt.origin)
			}
			query, _ := ts.openPolling()
			answers := map[string]answer{
				"handshake": ts.do("GET", ts.url("transport=polling"), "", header),
				"POST":      ts.do("POST", ts.url(query), "3", header),
				"error":     ts.do("GET", ts.url("transport=polling&sid=unknown"), "", header),
			}
			for what, a := range answers {
				if got := a.header.Get("Access-Control-Allow-Origin"); got != tt.allowed {
					t.Errorf("%s: allowed %q, want %q", what, got, tt.allowed)
				}
				if got := a.header.Get("Access-Control-Allow-Credentials"); got != tt.credentials {
					t.Errorf("%s: credentials %q, want %q", what, got, tt.credentials)
				}
			}
		})
	}
}

func TestPreflight(t *testing.T) {
	ts := serve(t, Options{CORS: &CORS{Origins: []string{"https://page.example"}, MaxAge: 60}})
	ask := func(origin string) answer {
		return ts.do(http.MethodOptions, ts.url("transport=polling"), "", http.Header{
			"Origin": {origin}, "Access-Control-Request-Method": {"POST"}, "Access-Control-Request-Headers": {"x-token"},
		})
	}
	a := ask("https://page.example")
	if a.status != http.StatusNoContent || a.header.Get("Access-Control-Allow-Methods") != "GET, POST" ||
		a.header.Get("Access-Control-Allow-Headers") != "x-token" || a.header.Get("Access-Control-Max-Age") != "60" {
		t.Errorf("%d %v", a.status, a.header)
	}
	if a := ask("https://other.example"); a.header.Get("Access-Control-Allow-Methods") != "" {
		t.Errorf("other origin: %v", a.header)
	}
}
