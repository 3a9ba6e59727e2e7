//go:build e2e

package e2e

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// TestKillDuringRestore kills a restore at several moments, without a server and with one. What is
// there afterwards is the old catalogue, or, if the restore was done, the new one: never a mixture.
func TestKillDuringRestore(t *testing.T) {
	t.Parallel()
	const books, moments = 1000, 4
	states := map[string]string{}
	for _, state := range []string{"old", "new"} {
		var file bytes.Buffer
		for id := 1; id <= books; id++ {
			// Half of the ids are in both states.
			number := id
			if state == "new" {
				number += books / 2
			}
			fmt.Fprintf(&file, `,{"id":%d,"title":"%s %d","author":"A","favorites":["%s","ann"]}`, number, state, id, state)
		}
		file.Bytes()[0] = '['
		file.WriteByte(']')
		states[state] = filepath.Join(t.TempDir(), state+".json")
		if err := os.WriteFile(states[state], file.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, served := range []bool{false, true} {
		t.Run(fmt.Sprint("served ", served), func(t *testing.T) {
			t.Parallel()
			server := &server{data: t.TempDir(), args: []string{"--backup-every", "0"}}
			if served {
				t.Cleanup(func() { server.finish(t) })
			}
			begin := time.Now()
			server.command(t, "backup", "restore", states["old"])
			whole := time.Since(begin) // as long as the restores that are killed, about
			kills := map[string]int{}
			for moment := range moments {
				if served {
					server.start(t)
				}
				restore := exec.CommandContext(within(t, patience), program, "backup", "restore", "--data", server.data, states["new"])
				if err := restore.Start(); err != nil {
					t.Fatal(err)
				}
				<-time.After(whole * time.Duration(moment+1) / moments) // the moment of the kill
				if served {
					server.kill(t)
				} else {
					_ = restore.Process.Kill() // it may be done
				}
				_ = restore.Wait()
				found := server.command(t, "export", "-")
				olds, news := bytes.Count(found, []byte(`"title":"old `)), bytes.Count(found, []byte(`"title":"new `))
				switch {
				case olds == books && news == 0 && bytes.Count(found, []byte(`["old","ann"]`)) == books:
					kills["old"]++
				case news == books && olds == 0 && bytes.Count(found, []byte(`["new","ann"]`)) == books:
					kills["new"]++
					server.command(t, "backup", "restore", states["old"])
				default:
					t.Fatalf("killed at moment %d: %d books of the old catalogue, %d of the new", moment, olds, news)
				}
			}
			t.Logf("left by the kills: %v", kills)
		})
	}
}
