package auth

import "github.com/shelfcast/shelfcast/internal/catalog"

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
	return forbidden()
}
