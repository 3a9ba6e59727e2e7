package auth

// Field is one row of the table of what may be read: a field of an object, and who may see it
// wherever that object is sent.
type Field struct {
	Object, Name    string
	Readers, Owners bool // with --auth jwt; in the demo everybody sees everything
}

// objectBook is the object that is sent without the fields that a role may not see (catalog.View).
const objectBook = "book"

// Fields is the table of every field that is sent to clients; the rows are the caller's own. A
// field that is sent and has no row fails a test. Today readers see whatever owners see of a book,
// so there is one visibility class (contract, Events); what only owners are sent, readers see
// nothing of.
func Fields() []Field {
	var fields []Field
	add := func(object string, readers bool, names ...string) {
		for _, name := range names {
			fields = append(fields, Field{Object: object, Name: name, Readers: readers, Owners: true})
		}
	}
	add(objectBook, true, "id", "title", "author", "returnDateTime", "readerName", "favorites", "createdAt", "updatedAt", "version")
	add("favoriteUpdated", true, "bookId", "favoritesCount")
	add("synced", true, "position", "recovered", "missed")
	add("serviceStatus", true, "writable", "asOf", "detail")
	add("dashboardStats", false, "totalBooks", "totalFavorites", "connectedOwners", "mostFavorited", "position")
	add("userStatus", false, "total", "users")
	return fields
}
