package auth_test

import (
	"testing"

	"github.com/shelfcast/shelfcast/internal/auth"
	"github.com/shelfcast/shelfcast/internal/catalog"
)

// The whole table of the demo identity: a permission that is added or lost shows here.
func TestDemoPolicy(t *testing.T) {
	t.Parallel()
	everyone := []auth.Action{
		auth.ActionReadBooks, auth.ActionAddBook, auth.ActionEditBook, auth.ActionDeleteBook,
		auth.ActionFavorite, auth.ActionLoadSamples, auth.ActionReadStats,
	}
	policy := auth.DemoPolicy()
	for _, action := range everyone {
		for _, role := range []catalog.Role{catalog.RoleReader, catalog.RoleOwner} {
			if !policy.Allows(role, action) {
				t.Errorf("%s may not %s", role, action)
			}
		}
		for _, role := range []catalog.Role{"", "admin", "OWNER"} {
			if policy.Allows(role, action) {
				t.Errorf("role %q may %s", role, action)
			}
		}
	}
	for _, p := range auth.Permissions() {
		// Metrics go by where a request comes from: docs/adr/0013.
		if len(p.Calls) > 0 && p.Action != auth.ActionReadMetrics && !policy.Allows(catalog.RoleReader, p.Action) {
			t.Errorf("over REST everyone may do everything, but not %s", p.Action)
		}
	}
	if policy.Allows(catalog.RoleReader, auth.ActionWatchDashboard) {
		t.Error("a reader may watch the dashboard")
	}
	if !policy.Allows(catalog.RoleOwner, auth.ActionWatchDashboard) {
		t.Error("an owner may not watch the dashboard")
	}
	for _, action := range []auth.Action{"", "books", "books.explode"} {
		if policy.Allows(catalog.RoleOwner, action) {
			t.Errorf("an owner may %q", action)
		}
	}
}

func TestPolicyWithoutTableDeniesEverything(t *testing.T) {
	t.Parallel()
	if (auth.Policy{}).Allows(catalog.RoleOwner, auth.ActionReadBooks) {
		t.Error("the zero policy allows something")
	}
}

func TestCheckSaysTheContractsWords(t *testing.T) {
	t.Parallel()
	policy := auth.DemoPolicy()
	if err := policy.Check(catalog.Actor{Role: catalog.RoleOwner}, auth.ActionWatchDashboard); err != nil {
		t.Errorf("an owner is refused: %v", err)
	}
	err := policy.Check(catalog.Actor{UserID: "anna", Role: catalog.RoleReader}, auth.ActionWatchDashboard)
	if catalog.ErrorCode(err) != catalog.CodeForbidden || catalog.ErrorText(err) != "Unauthorized access" {
		t.Errorf("a reader gets %v", err)
	}
}

// A caller that changes its own list later must not change what was granted.
func TestPolicyCopiesItsTable(t *testing.T) {
	t.Parallel()
	actions := []auth.Action{auth.ActionReadBooks}
	table := map[catalog.Role]auth.Grant{catalog.RoleReader: {Actions: actions}}
	policy := auth.NewPolicy(table)
	actions[0] = auth.ActionDeleteBook
	table[catalog.RoleOwner] = auth.Grant{Actions: actions}
	if policy.Allows(catalog.RoleReader, auth.ActionDeleteBook) || policy.Allows(catalog.RoleOwner, auth.ActionDeleteBook) {
		t.Error("the table is shared with the caller")
	}
}

// One field less in the table is one field less in the view, and takes every event with it that
// would tell of it; what no row grants is in no view.
func TestViewsComeFromTheTables(t *testing.T) {
	t.Parallel()
	for name, policy := range map[string]auth.Policy{"demo": auth.DemoPolicy(), "tokens": auth.TokenPolicy()} {
		for _, role := range []catalog.Role{catalog.RoleReader, catalog.RoleOwner} {
			if policy.View(role) != catalog.WholeView() {
				t.Errorf("%s: a %s does not see everything of the catalogue", name, role)
			}
		}
		if policy.View("admin") != 0 || policy.Hears("admin", "bookAdded") || policy.CheckWhole(catalog.Actor{Role: "admin"}, "dashboardStats") == nil {
			t.Errorf("%s: a role that does not exist sees something", name)
		}
	}
	for i, hidden := range auth.Fields() {
		fields := auth.Fields()
		fields[i].Readers, fields[i].Owners = false, false
		policy := auth.TokenPolicyOf(auth.Permissions(), fields)
		view := policy.View(catalog.RoleOwner)
		if hidden.Object == "book" {
			if view.Sees(hidden.Name) || view == 0 || !view.Hears(catalog.EventBookAdded) {
				t.Errorf("without %s: view %x", hidden.Name, view)
			}
			continue
		}
		if policy.Hears(catalog.RoleOwner, hidden.Object) || policy.CheckWhole(catalog.Actor{Role: catalog.RoleOwner}, hidden.Object) == nil {
			t.Errorf("without %s.%s the event still goes out", hidden.Object, hidden.Name)
		}
	}
	for _, f := range auth.Fields() {
		if f.Object == "book" && !catalog.WholeView().Sees(f.Name) {
			t.Errorf("the catalogue has no field %s", f.Name)
		}
	}
}
