// Command shelfcast is the whole product: `shelfcast serve` (or just
// `shelfcast`) serves the catalogue, the other commands look after it.
// `shelfcast --help` lists them and every setting.
package main

import (
	"context"
	"os"
)

// version is set by the linker: -ldflags "-X main.version=…".
var version = "dev"

func main() {
	process := &process{
		args:    os.Args[1:],
		stdin:   os.Stdin,
		stdout:  os.Stdout,
		stderr:  os.Stderr,
		version: version,
	}
	os.Exit(process.run(context.Background()))
}
