//go:build e2e

package e2e

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// unzipWithNode fetches the catalogue plain and compressed, unpacks the latter with Node's own
// zlib, which reads it as browsers do, and prints how many books both hold.
const unzipWithNode = `
const http = require('node:http'), zlib = require('node:zlib');
const get = (headers) => new Promise((resolve, reject) => http.get(process.argv[1] + '/books', { headers }, (answer) => {
	const parts = [];
	answer.on('data', (part) => parts.push(part));
	answer.on('end', () => resolve({ body: Buffer.concat(parts), headers: answer.headers }));
}).on('error', reject));
(async () => {
	const plain = await get({}), zipped = await get({ 'Accept-Encoding': 'gzip' });
	if (zipped.headers['content-encoding'] !== 'gzip') throw new Error('not compressed');
	if (Number(zipped.headers['content-length']) !== zipped.body.length) throw new Error('another length');
	if (!zlib.gunzipSync(zipped.body).equals(plain.body)) throw new Error('the two forms differ');
	console.log(JSON.parse(plain.body).length);
})().catch((error) => { console.error(error); process.exit(1); });
`

// TestNodeUnzipsTheCatalogue: the compressed catalogue is joined from pieces, so somebody else's
// reader must find it whole, before and after changes in its midst.
func TestNodeUnzipsTheCatalogue(t *testing.T) {
	t.Parallel()
	const count = 1200
	var file strings.Builder
	for id := 1; id <= count; id++ {
		fmt.Fprintf(&file, `,{"id":%d,"title":"Löwenzahn %d","author":"Unknown"}`, 2*id, id)
	}
	s := &server{data: t.TempDir()}
	if err := os.WriteFile(filepath.Join(s.data, "books.json"), []byte("["+file.String()[1:]+"]"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.start(t)
	t.Cleanup(func() { s.finish(t) })
	a := newAPI(t, s)
	unzip := func(want int) {
		t.Helper()
		output, err := exec.CommandContext(within(t, patience), "node", "-e", unzipWithNode, s.url()).CombinedOutput()
		if got := strings.TrimSpace(string(output)); err != nil || got != fmt.Sprint(want) {
			t.Fatalf("Node finds %s, want %d books: %v", got, want, err)
		}
	}
	unzip(count)
	a.remove(t, count)
	a.replace(t, 2*(count/3), book{"title": "Changed", "author": "Somebody"})
	a.add(t, "At the end", "Somebody")
	a.call(t, http.StatusOK, http.MethodDelete, bookPath(2), nil)
	unzip(count - 1)
}
