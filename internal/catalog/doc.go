// Package catalog is the domain of Shelfcast: books and favourites, the commands that
// change them, the log that keeps them and the projection that answers every read.
//
// A change travels one way. A command validates its input, decides from the projection
// what the new state of one key is, and appends it to the [Log] with compare-and-set.
// The log stores it, then hands it to [Catalog.Run], whose single goroutine applies the
// stored changes in log order, tells the observers, and only then wakes the command that
// waits for its own change. So nothing is seen by anybody before it is stored, and a
// writer reads its own write.
//
// The package imports only the standard library; stores and transports implement or call
// what is declared here.
package catalog
