// Package web holds the built web app and serves it.
//
// The app's sources live beside this file; `make build` lets Vite write its
// result into dist, which is embedded here, so that one binary is the whole
// product. Without a build, dist holds only .gitkeep and Handler answers with
// a page that says how to make one.
package web

import (
	"embed"
	"io/fs"
)

//go:embed all:dist
var embedded embed.FS

// Build returns the embedded build: the contents of dist. It holds no
// index.html when the binary was built without the web app.
func Build() fs.FS {
	build, err := fs.Sub(embedded, "dist")
	if err != nil { // cannot happen: "dist" is a valid path, fixed at compile time
		panic(err)
	}
	return build
}
