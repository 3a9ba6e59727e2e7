package auth

import (
	"slices"

	"github.com/shelfcast/shelfcast/internal/catalog"
)

// Policy says what each role may do and see, as the two tables have it (Permissions, Fields).
// REST, events and catch-up ask it and nothing else. What it does not list is denied, and so is
// every role that it does not know. A Policy never changes after it was made, so any number of
// goroutines may ask it.
type Policy struct {
	grants map[catalog.Role]*grant
}

type grant struct {
	actions map[Action]bool
	hears   map[string]bool
	sees    map[string]bool // objects that are sent whole or not at all
	view    catalog.View
}

// Grant is what one role may do and see.
type Grant struct {
	Actions []Action
	Fields  []Field // that the role sees; the columns of the rows do not count
}

// NewPolicy makes a Policy of what each role is granted; it keeps nothing of the table. Which
// events belong to an action is what Permissions says.
//
// A book is sent with the fields that the role sees. Every other object goes whole or not at all:
// a role hears an event only if it sees every field of what the event brings.
func NewPolicy(table map[catalog.Role]Grant) Policy {
	p := Policy{grants: make(map[catalog.Role]*grant, len(table))}
	for role, given := range table {
		g := &grant{actions: make(map[Action]bool, len(given.Actions)), hears: make(map[string]bool), sees: wholeObjects(given.Fields)}
		var heard []catalog.Event
		for _, action := range given.Actions {
			g.actions[action] = true
		}
		for _, permission := range Permissions() {
			for _, event := range permission.Hears {
				if g.actions[permission.Action] && (g.sees[event] || !isObject(event)) {
					g.hears[event] = true
					heard = append(heard, catalog.Event(event))
				}
			}
		}
		g.view = catalog.NewView(namesOf(objectBook, given.Fields), heard)
		p.grants[role] = g
	}
	return p
}

// wholeObjects are the objects of which every field is among some.
func wholeObjects(fields []Field) map[string]bool {
	whole := make(map[string]bool)
	for _, f := range Fields() {
		whole[f.Object] = true
	}
	for _, f := range Fields() {
		if !slices.Contains(namesOf(f.Object, fields), f.Name) {
			whole[f.Object] = false
		}
	}
	return whole
}

// isObject tells events that bring an object of the table of fields under their own name.
func isObject(name string) bool { return len(namesOf(name, Fields())) > 0 }

func namesOf(object string, fields []Field) []string {
	var names []string
	for _, f := range fields {
		if f.Object == object {
			names = append(names, f.Name)
		}
	}
	return names
}

func (p Policy) of(role catalog.Role) *grant {
	if g := p.grants[role]; g != nil {
		return g
	}
	return &grant{}
}

// Allows reports whether a role may do something.
func (p Policy) Allows(role catalog.Role, action Action) bool { return p.of(role).actions[action] }

// Hears reports whether an event may be sent to a role.
func (p Policy) Hears(role catalog.Role, event string) bool { return p.of(role).hears[event] }

// View is what a role sees of the catalogue.
func (p Policy) View(role catalog.Role) catalog.View { return p.of(role).view }

// Check returns nil when the actor may do it, else a *catalog.Error with CodeForbidden and the
// contract's text.
func (p Policy) Check(actor catalog.Actor, action Action) error {
	if p.Allows(actor.Role, action) {
		return nil
	}
	return forbidden()
}

// CheckWhole returns the same unless the actor may see every field of an object.
func (p Policy) CheckWhole(actor catalog.Actor, object string) error {
	if p.of(actor.Role).sees[object] {
		return nil
	}
	return forbidden()
}
