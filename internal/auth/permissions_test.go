package auth_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/shelfcast/shelfcast/internal/auth"
	"github.com/shelfcast/shelfcast/internal/catalog"
)

var rewrite = flag.Bool("rewrite", false, "write docs/permissions.md anew instead of comparing it")

// page is docs/permissions.md: the table for people.
func page() []byte {
	var out bytes.Buffer
	out.WriteString(`# Who may do what

Written from the permission table in ` + "`internal/auth/permissions.go`" + ` by ` + "`make permissions`" + `; a test fails
when it differs. What is not in it is denied: a REST call without a row keeps the server from being
built, an event without one is not listened to, a command without one fails a test.

With ` + "`--auth jwt`" + ` a role comes from the token: **reader** or **owner**. *Itself* means: in one's own name
only. With ` + "`--auth demo`" + ` people are what they say; over REST everyone may do everything, and the last
column says what a socket with the role reader may. **Operators** are whoever may read and write the data
directory: the commands need no token, because nothing could be kept from them.

## Actions

| action | who | REST | a client sends | the server sends | commands | in the demo, a reader |
| --- | --- | --- | --- | --- | --- | --- |
`)
	for _, p := range auth.Permissions() {
		fmt.Fprintf(&out, "| **%s**: %s | %s | %s | %s | %s | %s | %s |\n", p.Action, p.Does, who(p),
			code(p.Calls), code(p.Sends), code(p.Hears), code(p.Commands), word(p.DemoReaders))
	}
	out.WriteString(`
## Fields

What a role may read of each object, wherever it is sent: in an answer, an event, a replay, a batch, or
` + "`?since=`" + `. A book is sent without the fields that a role does not see; any other object goes whole or not at
all. Roles that see the same are one visibility class, and each event is encoded once for a class
([decision 0023](adr/0023-what-a-role-sees-is-a-view.md)).

| object | field | readers | owners |
| --- | --- | --- | --- |
`)
	for _, f := range auth.Fields() {
		fmt.Fprintf(&out, "| %s | `%s` | %s | %s |\n", f.Object, f.Name, word(f.Readers), word(f.Owners))
	}
	return out.Bytes()
}

func who(p auth.Permission) string {
	var all []string
	for _, one := range []struct {
		may  bool
		name string
	}{{p.Anybody, "anybody"}, {p.Readers && !p.Anybody, "readers"}, {p.Owners && !p.Anybody, "owners"}, {p.Operators, "operators"}} {
		if one.may {
			all = append(all, one.name)
		}
	}
	if p.Itself {
		all = append(all, "*itself*")
	}
	return strings.Join(all, ", ")
}

func code(names []string) string {
	if len(names) == 0 {
		return ""
	}
	return "`" + strings.Join(names, "`, `") + "`"
}

func word(yes bool) string {
	if yes {
		return "yes"
	}
	return "no"
}

func TestPermissionsPage(t *testing.T) {
	file := filepath.Join("..", "..", "docs", "permissions.md")
	if *rewrite {
		if err := os.WriteFile(file, page(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	kept, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(kept, page()) {
		t.Error("docs/permissions.md is not what the permission table says: run `make permissions`")
	}
}

// Each thing has one row, and each row lets somebody do something.
func TestPermissionsAreUnambiguous(t *testing.T) {
	t.Parallel()
	seen := make(map[string]auth.Action)
	once := func(name string, action auth.Action) {
		if before, twice := seen[name]; twice {
			t.Errorf("%s belongs to %s and to %s", name, before, action)
		}
		seen[name] = action
	}
	for _, p := range auth.Permissions() {
		once(string(p.Action), p.Action)
		for _, name := range slices.Concat(p.Calls, p.Sends, p.Hears, p.Commands) {
			once(name, p.Action)
		}
		if p.Does == "" || !p.Readers && !p.Owners && !p.Operators {
			t.Errorf("%s: says nothing or lets nobody", p.Action)
		}
		if p.Readers && !p.Owners {
			t.Errorf("%s: owners do everything (contract, Identity)", p.Action)
		}
		if len(p.Commands) > 0 != p.Operators {
			t.Errorf("%s: commands are what operators may", p.Action)
		}
	}
	for _, name := range []string{"", "GET /", "GET /secrets", "books.read"} {
		if _, found := auth.OfCall(name); found {
			t.Errorf("%q has a row", name)
		}
	}
	if _, found := auth.OfSent("bookAdded"); found {
		t.Error("clients may send what the server sends")
	}
	if _, found := auth.OfHeard("customEvent"); found {
		t.Error("the server may send what clients send")
	}
}

// The contract's words, independent of the table: readers read and favourite for themselves.
func TestTokenPolicy(t *testing.T) {
	t.Parallel()
	policy := auth.TokenPolicy()
	readers := []auth.Action{auth.ActionLookAround, auth.ActionConnect, auth.ActionReadBooks, auth.ActionFavorite, auth.ActionReportTimings}
	for _, p := range auth.Permissions() {
		if got, want := policy.Allows(catalog.RoleReader, p.Action), slices.Contains(readers, p.Action); got != want {
			t.Errorf("a reader and %s: %t", p.Action, got)
		}
		if policy.Allows(catalog.RoleOwner, p.Action) != p.Owners {
			t.Errorf("an owner and %s", p.Action)
		}
		for _, role := range []catalog.Role{"", "admin", "OWNER"} {
			if policy.Allows(role, p.Action) {
				t.Errorf("role %q may %s", role, p.Action)
			}
		}
	}
}
