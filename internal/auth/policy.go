package auth

import "github.com/shelfcast/shelfcast/internal/catalog"

// Action is something that an actor may be allowed to do. The zero value is allowed to nobody.
type Action string

// The actions that REST routes and socket events name.
const (
	ActionReadBooks      Action = "books.read"
	ActionAddBook        Action = "books.add"
	ActionEditBook       Action = "books.edit"
	ActionDeleteBook     Action = "books.delete"
	ActionFavorite       Action = "books.favorite"
	ActionLoadSamples    Action = "books.samples"
	ActionReadStats      Action = "stats.read"
	ActionWatchDashboard Action = "dashboard.watch"
)

// Policy is a table of roles and what each may do. What it does not list is denied, and so is
// every role that it does not know. A Policy never changes after it was made, so any number of
// goroutines may ask it.
type Policy struct {
	grants map[catalog.Role]map[Action]bool
}

// NewPolicy copies a table into a Policy.
func NewPolicy(table map[catalog.Role][]Action) Policy {
	p := Policy{grants: make(map[catalog.Role]map[Action]bool, len(table))}
	for role, actions := range table {
		granted := make(map[Action]bool, len(actions))
		for _, action := range actions {
			granted[action] = true
		}
		p.grants[role] = granted
	}
	return p
}

// DemoPolicy is the table of `--auth demo`: everyone may do everything over REST, only owners
// may watch the dashboard (contract, Identity and Events).
func DemoPolicy() Policy {
	everyone := []Action{
		ActionReadBooks, ActionAddBook, ActionEditBook, ActionDeleteBook,
		ActionFavorite, ActionLoadSamples, ActionReadStats,
	}
	return NewPolicy(map[catalog.Role][]Action{
		catalog.RoleReader: everyone,
		catalog.RoleOwner:  append(everyone[:len(everyone):len(everyone)], ActionWatchDashboard),
	})
}

// Allows reports whether a role may do something.
func (p Policy) Allows(role catalog.Role, action Action) bool {
	return p.grants[role][action]
}

// Check returns nil when the actor may do it, else a *catalog.Error with CodeForbidden and the
// contract's text.
func (p Policy) Check(actor catalog.Actor, action Action) error {
	if p.Allows(actor.Role, action) {
		return nil
	}
	return &catalog.Error{Code: catalog.CodeForbidden, Text: forbiddenText}
}
