package auth

import (
	"slices"

	"github.com/shelfcast/shelfcast/internal/catalog"
)

// Permission is one row of the permission table: an action, who may do it, and everything through
// which it is done. What has no row is denied: a REST call without one keeps the API from being
// built, an event without one is not listened to.
type Permission struct {
	Action Action
	Does   string // in words
	// Readers and Owners tell who may with --auth jwt; an anonymous caller may only where Anybody
	// is set, which no limit and no identity stands before.
	Readers, Owners, Anybody bool
	// Operators are whoever may read and write the data directory: commands ask for no token.
	Operators bool
	// DemoReaders tells whether the role reader may with --auth demo. Over REST nobody has another
	// role there, and everyone may do everything (contract, Identity). Owners of the demo may.
	DemoReaders bool

	Calls    []string // REST: method, space, pattern of http.ServeMux
	Sends    []string // events that a client sends to do it
	Hears    []string // events that the server sends to those who may
	Commands []string // of the program, without its name
	Itself   bool     // only in one's own name
}

// Permissions is the table of everything that can be asked of a server or heard from it. The rows
// are the caller's own. docs/permissions.md is written from it.
func Permissions() []Permission {
	return slices.Concat(bookPermissions(), operationPermissions(), commandPermissions())
}

func bookPermissions() []Permission {
	return []Permission{
		{
			Action: ActionLookAround, Does: "see whether the server is well, and read the contract",
			Anybody: true, Readers: true, Owners: true, DemoReaders: true,
			Calls: []string{"GET /healthz", "GET /readyz", "GET /openapi.json", "GET /asyncapi.json", "GET /docs"},
		},
		{
			Action: ActionConnect, Does: "hold a connection and stay signed in on it",
			Readers: true, Owners: true, DemoReaders: true,
			Sends: []string{"renew"}, Hears: []string{"synced", "reconnect", "serviceStatus", "error"}, Itself: true,
		},
		{
			Action: ActionReadBooks, Does: "read the catalogue and see it change",
			Readers: true, Owners: true, DemoReaders: true,
			Calls: []string{"GET /books", "GET /books/{id}"},
			Hears: []string{"bookAdded", "bookUpdated", "bookDeleted", "favoriteUpdated", "batchUpdate"},
		},
		{
			Action: ActionFavorite, Does: "give and take back a favourite",
			Readers: true, Owners: true, DemoReaders: true, Itself: true,
			Calls: []string{"POST /books/{id}/favorite", "PUT /books/{id}/favorite", "DELETE /books/{id}/favorite"},
			Sends: []string{"customEvent"},
		},
		{
			Action: ActionAddBook, Does: "add a book",
			Owners: true, DemoReaders: true,
			Calls: []string{"POST /books"},
		},
		{
			Action: ActionEditBook, Does: "change a book, lend it, take it back",
			Owners: true, DemoReaders: true,
			Calls: []string{"PUT /books/{id}", "PATCH /books/{id}"},
		},
		{
			Action: ActionDeleteBook, Does: "delete a book",
			Owners: true, DemoReaders: true,
			Calls: []string{"DELETE /books/{id}"},
		},
		{
			Action: ActionLoadSamples, Does: "fill an empty catalogue with sample books",
			Owners: true, DemoReaders: true,
			Calls: []string{"POST /samples"},
		},
		{
			Action: ActionReadStats, Does: "ask for the dashboard's numbers",
			Owners: true, DemoReaders: true,
			Calls: []string{"GET /stats"},
		},
		{
			Action: ActionWatchDashboard, Does: "watch the dashboard: its numbers, and who is connected",
			Owners: true,
			Sends:  []string{"ownerJoinDashboard", "ownerLeaveDashboard"},
			Hears:  []string{"dashboardStats", "userStatus"},
		},
	}
}

// operationPermissions are those of whoever keeps the server running. With --auth demo the
// machine is one person's, who is that too.
func operationPermissions() []Permission {
	owners := func(action Action, does string, calls ...string) Permission {
		return Permission{Action: action, Does: does, Owners: true, DemoReaders: true, Calls: calls}
	}
	commanded := func(p Permission, commands ...string) Permission {
		p.Operators, p.Commands = true, commands
		return p
	}
	return []Permission{
		{
			Action: ActionReportTimings, Does: "report how long changes took to the screen",
			Readers: true, Owners: true, DemoReaders: true,
			Calls: []string{"POST /timings"},
		},
		commanded(owners(ActionReadConnections, "see who is connected from where", "GET /connections"), "connections"),
		owners(ActionEndConnection, "end somebody's connection", "DELETE /connections/{id}"),
		owners(ActionReadBlocks, "see which addresses are blocked", "GET /blocks"),
		commanded(owners(ActionEditBlocks, "block addresses and let them in again", "POST /blocks", "DELETE /blocks"), "block", "unblock"),
		commanded(owners(ActionReadRefusals, "see who was refused, and why", "GET /refusals"), "refusals"),
		// Who scrapes is often no user at all: docs/adr/0013 says who else may.
		{Action: ActionReadMetrics, Does: "read the metrics", Owners: true, Calls: []string{"GET /metrics"}},
		owners(ActionReadHistory, "see the server's numbers over time", "GET /history"),
		commanded(owners(ActionReadBackups, "list the backups", "GET /backups"), "backup list"),
		commanded(owners(ActionMakeBackups, "make and verify backups", "POST /backups", "POST /backups/{name}/verify"), "backup create", "backup verify"),
		commanded(owners(ActionReadLogLevel, "see how much is logged", "GET /log-level"), "log-level"),
		owners(ActionSetLogLevel, "change how much is logged", "PUT /log-level"),
	}
}

// commandPermissions are what is done by commands alone.
func commandPermissions() []Permission {
	operators := func(action Action, does string, commands ...string) Permission {
		return Permission{Action: action, Does: does, Operators: true, Commands: commands}
	}
	return []Permission{
		operators(ActionServe, "run the server", "serve"),
		operators(ActionExchange, "take books in and out as files", "import", "export"),
		operators(ActionMigrate, "move the catalogue into a cluster or out of it", "migrate"),
		operators(ActionRestore, "bring back what a backup holds", "backup restore"),
		operators(ActionCheck, "look for faults", "check", "healthcheck", "config print", "version"),
		operators(ActionMintTokens, "say who somebody is, with the secret", "token"),
		operators(ActionMeasure, "put load on a server", "bench"),
	}
}

// OfCall finds the row of a REST call, "GET /books". A call without one may be made by nobody.
func OfCall(call string) (Permission, bool) {
	return find(func(p *Permission) []string { return p.Calls }, call)
}

// OfSent finds the row of an event that clients send.
func OfSent(event string) (Permission, bool) {
	return find(func(p *Permission) []string { return p.Sends }, event)
}

// OfHeard finds the row of an event that the server sends.
func OfHeard(event string) (Permission, bool) {
	return find(func(p *Permission) []string { return p.Hears }, event)
}

// OfCommand finds the row of a command of the program, "backup list".
func OfCommand(command string) (Permission, bool) {
	return find(func(p *Permission) []string { return p.Commands }, command)
}

func find(names func(*Permission) []string, name string) (Permission, bool) {
	for _, p := range Permissions() {
		if slices.Contains(names(&p), name) {
			return p, true
		}
	}
	return Permission{}, false
}

// DemoPolicy is the table's column for `--auth demo`. Everybody sees every field there.
func DemoPolicy() Policy {
	return policyOf(Permissions(), Fields(), func(p *Permission, role catalog.Role) bool {
		return role == catalog.RoleOwner || p.DemoReaders
	}, func(*Field, catalog.Role) bool { return true })
}

// TokenPolicy is the tables' columns for `--auth jwt`.
func TokenPolicy() Policy { return TokenPolicyOf(Permissions(), Fields()) }

// TokenPolicyOf is that of other tables of the same actions and objects.
func TokenPolicyOf(permissions []Permission, fields []Field) Policy {
	return policyOf(permissions, fields, func(p *Permission, role catalog.Role) bool {
		return role == catalog.RoleOwner && p.Owners || role == catalog.RoleReader && p.Readers
	}, func(f *Field, role catalog.Role) bool {
		return role == catalog.RoleOwner && f.Owners || role == catalog.RoleReader && f.Readers
	})
}

func policyOf(permissions []Permission, fields []Field, grants func(*Permission, catalog.Role) bool, shows func(*Field, catalog.Role) bool) Policy {
	table := make(map[catalog.Role]Grant)
	for _, role := range []catalog.Role{catalog.RoleReader, catalog.RoleOwner} {
		var granted Grant
		for _, p := range permissions {
			if grants(&p, role) {
				granted.Actions = append(granted.Actions, p.Action)
			}
		}
		for _, f := range fields {
			if shows(&f, role) {
				granted.Fields = append(granted.Fields, f)
			}
		}
		table[role] = granted
	}
	return NewPolicy(table)
}
