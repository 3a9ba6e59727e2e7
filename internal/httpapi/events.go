package httpapi

import "strings"

// event is one event of the socket as data, for the AsyncAPI document. internal/live sends and
// takes them; a test of the whole program holds what it really sends against this.
type event struct {
	name       string
	fromServer bool
	audience   string // who gets it, or who may send it
	summary    string
	arguments  []argument
	ack        []argument // what the acknowledgement carries; nil: there is none to ask for
}

// argument is one of an event's arguments, in order.
type argument struct {
	name        string
	description string
	wire        any // a value of the type that describes it
}

// events is the contract's table of events.
func events() []event {
	position := argument{
		name: "position", wire: "",
		description: "The position of the change, <epoch>-<sequence>. The official client keeps it and sends it back as its offset when it reconnects.",
	}
	book := argument{name: "book", description: "The whole book.", wire: bookWire{}}
	const everybody, watchers, owners = "everybody", "owners who joined the dashboard", "owners"
	return []event{
		{name: "bookAdded", fromServer: true, audience: everybody, summary: "A book was added.", arguments: []argument{book, position}},
		{name: "bookUpdated", fromServer: true, audience: everybody, summary: "A book was changed.", arguments: []argument{book, position}},
		{name: "bookDeleted", fromServer: true, audience: everybody, summary: "A book was deleted.", arguments: []argument{
			{name: "book", description: "The book as it was.", wire: bookWire{}}, position,
		}},
		{name: "favoriteUpdated", fromServer: true, audience: everybody, summary: "A book has more or fewer favorites.", arguments: []argument{
			{name: "favorites", description: "How many there are now.", wire: favoriteUpdatedWire{}}, position,
		}},
		{name: "batchUpdate", fromServer: true, audience: "clients that connect with batch=1, instead of the four events above", summary: "What has changed since the batch before.", arguments: []argument{
			{name: "changes", description: "In the order in which they happened.", wire: []batchEntryWire{}}, position,
		}},
		{name: "dashboardStats", fromServer: true, audience: watchers, summary: "The dashboard's numbers: at once on joining, then at most ten times a second.", arguments: []argument{
			{name: "stats", description: "The same object as GET /stats.", wire: dashboardStatsWire{}},
		}},
		{name: "userStatus", fromServer: true, audience: watchers, summary: "Who is connected: at most once a second, at most 200 people.", arguments: []argument{
			{name: "status", description: "Who is connected.", wire: userStatusWire{}},
		}},
		{name: "synced", fromServer: true, audience: "each client after it connects", summary: "The client is up to date with a position, and gets every event after it.", arguments: []argument{
			{name: "state", description: "Up to where, and what was replayed.", wire: syncedWire{}}, position,
		}},
		{name: "reconnect", fromServer: true, audience: "a client that came back and missed more than could be replayed", summary: "Fetch GET /books again.", arguments: []argument{
			{name: "attempt", description: "Always 1.", wire: 0},
		}},
		{name: "serviceStatus", fromServer: true, audience: "everybody when it changes, and each client that connects while something is wrong", summary: "Whether the node that the client is connected to can store changes, and how old what it shows is.", arguments: []argument{
			{name: "status", description: "How the node does. Silence after synced means that all is well.", wire: serviceStatusWire{}},
		}},
		{name: "error", fromServer: true, audience: "one client", summary: "What it sent was refused.", arguments: []argument{
			{name: "text", description: "Unauthorized access, Invalid event data, Book not found or Too many requests.", wire: ""}, position,
		}},
		{name: "ownerJoinDashboard", audience: owners, summary: "Start to get dashboardStats and userStatus, both at once the first time. Joining twice counts once."},
		{name: "ownerLeaveDashboard", audience: owners, summary: "Stop to get them. A disconnect counts as leaving."},
		{name: "customEvent", audience: everybody, summary: "Give or take back one's favorite.",
			arguments: []argument{{name: "request", description: "Which book, and what.", wire: customEventWire{}}},
			ack:       []argument{{name: "answer", description: "The new number of favorites, or the error.", wire: customEventAnswerWire{}}},
		},
		{name: "renew", audience: everybody, summary: "Stay signed in with a later token of the same user. Its rights count at once; a token that is refused changes nothing.",
			arguments: []argument{{name: "request", description: "The token.", wire: renewWire{}}},
			ack:       []argument{{name: "answer", description: "When the token ends, or the error.", wire: renewAnswerWire{}}},
		},
	}
}

// operationID names the event among the operations of the AsyncAPI document.
func (e event) operationID() string {
	if e.fromServer {
		return "send" + strings.ToUpper(e.name[:1]) + e.name[1:]
	}
	return "receive" + strings.ToUpper(e.name[:1]) + e.name[1:]
}

// ackName names the message that acknowledges the event.
func (e event) ackName() string { return e.name + "Ack" }
