package auth_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/shelfcast/shelfcast/internal/auth"
	"github.com/shelfcast/shelfcast/internal/catalog"
)

func TestDemoKnowsRequestsByHeaderThenQuery(t *testing.T) {
	t.Parallel()
	reader := func(id string) catalog.Actor { return catalog.Actor{UserID: id, Role: catalog.RoleReader} }
	cases := []struct {
		name, target, header string
		want                 catalog.Actor
		field                string // of the error; empty: none
	}{
		{"nobody", "/books", "", reader(""), ""},
		{"header", "/books", "anna", reader("anna"), ""},
		{"query", "/books?userId=anna", "", reader("anna"), ""},
		{"header before query", "/books?userId=bert", "anna", reader("anna"), ""},
		{"longest", "/books", strings.Repeat("ß", 128), reader(strings.Repeat("ß", 128)), ""},
		{"role is not taken over REST", "/books?userId=anna&role=owner", "", reader("anna"), ""},
		{"too long", "/books", strings.Repeat("a", 129), catalog.Actor{}, "userId"},
		{"control character", "/books?userId=a%0Ab", "", catalog.Actor{}, "userId"},
		{"delete character", "/books?userId=a%7F", "", catalog.Actor{}, "userId"},
		{"C1 control character", "/books?userId=a%C2%85", "", catalog.Actor{}, "userId"},
		{"not UTF-8", "/books?userId=a%FF", "", catalog.Actor{}, "userId"},
		{"header not UTF-8", "/books", "a\xff", catalog.Actor{}, "userId"},
	}
	for _, one := range cases {
		t.Run(one.name, func(t *testing.T) {
			t.Parallel()
			request := httptest.NewRequest(http.MethodGet, one.target, nil)
			if one.header != "" {
				request.Header.Set(auth.HeaderUserID, one.header)
			}
			actor, err := auth.Demo{}.Request(request)
			expectRefusal(t, err, one.field)
			if actor != one.want {
				t.Errorf("actor %+v, want %+v", actor, one.want)
			}
		})
	}
}

func TestDemoClaimsOnlyForNobody(t *testing.T) {
	t.Parallel()
	reader := catalog.Actor{Role: catalog.RoleReader}
	named := catalog.Actor{UserID: "anna", Role: catalog.RoleReader}
	cases := []struct {
		name   string
		before catalog.Actor
		claim  string
		want   catalog.Actor
		field  string
	}{
		{"nobody becomes somebody", reader, "anna", named, ""},
		{"nobody claims nothing", reader, "", reader, ""},
		{"somebody stays", named, "bert", named, ""},
		{"somebody stays whatever the body says", named, "\x00", named, ""},
		{"bad id", reader, "a\tb", catalog.Actor{}, "userId"},
	}
	for _, one := range cases {
		t.Run(one.name, func(t *testing.T) {
			t.Parallel()
			actor, err := auth.Demo{}.Claim(one.before, one.claim)
			expectRefusal(t, err, one.field)
			if actor != one.want {
				t.Errorf("actor %+v, want %+v", actor, one.want)
			}
		})
	}
}

func TestDemoKnowsSocketsByTheQuery(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, query string
		want        catalog.Actor
		field       string
	}{
		{"the handbook's reader", "userId=demoUser7&role=reader&EIO=4", catalog.Actor{UserID: "demoUser7", Role: catalog.RoleReader}, ""},
		{"the handbook's owner", "userId=demoUser7&role=owner", catalog.Actor{UserID: "demoUser7", Role: catalog.RoleOwner}, ""},
		{"no role", "userId=demoUser7", catalog.Actor{UserID: "demoUser7", Role: catalog.RoleReader}, ""},
		{"nothing", "", catalog.Actor{Role: catalog.RoleReader}, ""},
		{"first of several", "userId=a&userId=b&role=owner&role=reader", catalog.Actor{UserID: "a", Role: catalog.RoleOwner}, ""},
		{"unknown role", "userId=a&role=admin", catalog.Actor{}, "role"},
		{"role in capitals", "userId=a&role=Owner", catalog.Actor{}, "role"},
		{"bad id", "userId=a%00&role=owner", catalog.Actor{}, "userId"},
	}
	for _, one := range cases {
		t.Run(one.name, func(t *testing.T) {
			t.Parallel()
			query, err := url.ParseQuery(one.query)
			if err != nil {
				t.Fatal(err)
			}
			identity, err := auth.Demo{}.Handshake(t.Context(), auth.Handshake{Query: query})
			expectRefusal(t, err, one.field)
			if identity.Actor != one.want || !identity.Ends().IsZero() {
				t.Errorf("identity %+v, want %+v for ever", identity, one.want)
			}
		})
	}
}

// Whatever a stranger sends as a name, it is refused or is one that the contract allows.
func FuzzDemoNames(f *testing.F) {
	for _, id := range []string{"", "anna", "a\x00", "\xff", strings.Repeat("漢", 128), strings.Repeat("a", 129), "<script>"} {
		f.Add(id, id)
	}
	f.Fuzz(func(t *testing.T, header, query string) {
		request := &http.Request{Header: http.Header{auth.HeaderUserID: {header}}, URL: &url.URL{RawQuery: query}}
		actor, err := auth.Demo{}.Request(request)
		if err == nil && actor.UserID != "" && catalog.ValidateUserID(actor.UserID) != nil {
			t.Errorf("%q was taken as a user id", actor.UserID)
		}
	})
}

func expectRefusal(t *testing.T, err error, field string) {
	t.Helper()
	if field == "" {
		if err != nil {
			t.Errorf("refused: %v", err)
		}
		return
	}
	var refusal *catalog.Error
	if !errors.As(err, &refusal) {
		t.Fatalf("error %v, want one of the catalogue", err)
	}
	if refusal.Code != catalog.CodeInvalidInput || refusal.Text != "Invalid input" || refusal.Field != field {
		t.Errorf("error %+v, want invalid input in %s", refusal, field)
	}
}
