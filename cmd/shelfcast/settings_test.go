package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
	"gopkg.in/yaml.v3"

	"github.com/shelfcast/shelfcast/internal/auth"
)

// execute runs a command line as the program would.
func execute(t *testing.T, stdin string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, complaints bytes.Buffer
	p := &process{args: args, stdin: strings.NewReader(stdin), stdout: &out, stderr: &complaints, version: "v1.2.3"}
	code = p.run(context.Background())
	return code, out.String(), complaints.String()
}

// printed is what `config print` says, after flags, environment and file.
func printed(t *testing.T, args ...string) map[string]any {
	t.Helper()
	code, stdout, stderr := execute(t, "", append([]string{"config", "print"}, args...)...)
	if code != 0 {
		t.Fatalf("config print: %s", stderr)
	}
	values := map[string]any{}
	if err := yaml.Unmarshal([]byte(stdout), &values); err != nil {
		t.Fatalf("%v in %s", err, stdout)
	}
	return values
}

// Default, file, environment, flag: the later wins (contract, Commands).
func TestSettingsComeInTheContractsOrder(t *testing.T) {
	file := filepath.Join(t.TempDir(), "shelfcast.yaml")
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	check := func(want int, args ...string) {
		t.Helper()
		if got := printed(t, args...)["port"]; got != want {
			t.Errorf("%v: port %v, want %d", args, got, want)
		}
	}
	check(4000)
	write("port: 4001\nbatch-interval: 3s\ncors-origin: [https://a.example, https://b.example]\n")
	check(4001, "--config", file)
	values := printed(t, "--config", file)
	if values["batch-interval"] != "3s" || len(values["cors-origin"].([]any)) != 2 {
		t.Errorf("from the file: %v", values)
	}
	t.Setenv("PORT", "4002")
	check(4002, "--config", file)
	t.Setenv("SHELFCAST_PORT", "4003")
	check(4003, "--config", file)
	check(4004, "--config", file, "--port", "4004")
	t.Setenv("SHELFCAST_CONFIG", file)
	if got := printed(t)["batch-interval"]; got != "3s" {
		t.Errorf("the file that the environment names is not read: %v", got)
	}

	// A variable that is set to nothing is not set.
	t.Setenv("SHELFCAST_PORT", "")
	check(4002, "--config", file)
	t.Setenv("PORT", "")
	t.Setenv("SHELFCAST_REQUEST_RATE", "")
	t.Setenv("SHELFCAST_CORS_ORIGIN", "")
	check(4001, "--config", file)
	t.Setenv("SHELFCAST_CONFIG", "")
	if got := printed(t); got["port"] != 4000 || got["request-rate"] != 20 {
		t.Errorf("without the file: %v", got)
	}
	t.Setenv("SHELFCAST_CONFIG", file)

	// What config print writes is a file that gives the same settings.
	_, stdout, _ := execute(t, "", "config", "print")
	write(stdout)
	if _, again, complaint := execute(t, "", "config", "print", "--config", file); again != stdout {
		t.Errorf("read back: %s%s", again, complaint)
	}

	write("prot: 4001\n")
	if code, _, stderr := execute(t, "", "config", "print"); code == 0 || !strings.Contains(stderr, "prot") {
		t.Errorf("a misspelt setting: %d %s", code, stderr)
	}
	write("port: [")
	if code, _, stderr := execute(t, "", "config", "print"); code == 0 || !strings.Contains(stderr, "YAML") {
		t.Errorf("a broken file: %d %s", code, stderr)
	}
	os.Remove(file)
	if code, _, _ := execute(t, "", "config", "print"); code == 0 {
		t.Error("a file that does not exist was accepted")
	}
}

func TestSettingsAreChecked(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"--port", "70000"}, "--port"},
		{[]string{"--ping-interval", "0s"}, "--ping-interval"},
		{[]string{"--cors-origin", "localhost:3000"}, "--cors-origin"},
		{[]string{"--cors-origin", "http://a/path"}, "--cors-origin"},
		{[]string{"--max-connections", "0"}, "--limits off"},
		{[]string{"--request-rate", "0"}, "--limits off"},
		{[]string{"config", "print", "--request-rate", "NaN"}, "--request-rate: NaN"},
		{[]string{"config", "print", "--request-rate", "Inf"}, "--request-rate: +Inf"},
		{[]string{"config", "print", "--request-rate-per-address=-Inf"}, "--request-rate-per-address: -Inf"},
		{[]string{"config", "print", "--request-rate-per-address", "1e300"}, "--request-rate-per-address: 1e+300"},
		{[]string{"config", "print", "--host", ""}, "--host: it is empty"},
		{[]string{"--limits", "some"}, "--limits"},
		{[]string{"--sync", "never"}, "--sync"},
		{[]string{"--auth", "jwt"}, "--auth jwt needs JWT_SECRET"},
		{[]string{"--auth", "jwt", "--jwt-secret", "hunter2"}, "7 bytes and needs at least 32"},
		{[]string{"--auth", "jwt", "--jwt-secret", strings.Repeat("s", 32), "--jwks-url", "https://id.example.org/keys"}, "only one"},
		{[]string{"--auth", "jwt", "--jwks-url", "http://id.example.org/keys"}, "must be https"},
		{[]string{"--auth", "jwt", "--jwks-url", "https://me:pass@id.example.org/keys"}, "must not hold a password"},
		{[]string{"--auth", "jwt", "--jwks-url", "keys.json"}, "--jwks-url"},
		{[]string{"--jwt-clock-skew=-1s"}, "--jwt-clock-skew"},
		{[]string{"token", "--user", "anna"}, "JWT_SECRET"},
		{[]string{"token", "--user", "anna", "--jwt-secret", "hunter2"}, "7 bytes and needs at least 32"},
		{[]string{"token", "--user", "", "--jwt-secret", strings.Repeat("s", 32)}, "names no user"},
		{[]string{"token", "--user", "anna", "--role", "king", "--jwt-secret", strings.Repeat("s", 32)}, "--role"},
		{[]string{"token", "--user", "anna", "--for=-1h", "--jwt-secret", strings.Repeat("s", 32)}, "no time"},
		{[]string{"token", "--user", "anna", "--link", "--port", "0", "--jwt-secret", strings.Repeat("s", 32)}, "--url"},
		{[]string{"--no-such-flag"}, "no-such-flag"},
		{[]string{"import"}, "either a file"},
		{[]string{"import", "x", "--sample"}, "either a file"},
	} {
		code, _, stderr := execute(t, "", append(test.args, "--data", t.TempDir())...)
		if code == 0 || !strings.Contains(stderr, test.want) {
			t.Errorf("%v: exit %d, %q lacks %q", test.args, code, stderr, test.want)
		}
		if strings.Contains(stderr, "hunter2") || strings.Contains(stderr, "ssss") {
			t.Errorf("%v: the secret is in %q", test.args, stderr)
		}
	}
	if code, _, stderr := execute(t, "", "config", "print", "--limits", "off", "--max-connections", "0"); code != 0 {
		t.Errorf("without limits their values do not matter: %s", stderr)
	}
}

// The address may be written as in a URL.
func TestHostInBrackets(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{"[::1]": "::1", "::1": "::1", "[::]": "::", "[localhost]": "[localhost]", "[127.0.0.1]": "[127.0.0.1]"} {
		if got := printed(t, "--host", given)["host"]; got != want {
			t.Errorf("%s: %v, want %s", given, got, want)
		}
	}
}

func TestVersionAndHelp(t *testing.T) {
	t.Parallel()
	if code, stdout, _ := execute(t, "", "version"); code != 0 || stdout != "shelfcast v1.2.3\n" {
		t.Errorf("%d %q", code, stdout)
	}
	code, stdout, _ := execute(t, "", "--help")
	if code != 0 {
		t.Errorf("--help exits with %d", code)
	}
	for _, word := range []string{"--port", "SHELFCAST_PORT", "import", "export", "healthcheck", "config", "--demo-anywhere"} {
		if !strings.Contains(stdout, word) {
			t.Errorf("the help lacks %s", word)
		}
	}
}

func TestExposureIsRefused(t *testing.T) {
	t.Parallel()
	for host, exposed := range map[string]bool{
		"localhost": false, "LOCALHOST.": false, "127.0.0.1": false, "127.8.9.1": false, "::1": false,
		"0.0.0.0": true, "": true, "::": true, "192.0.2.1": true, "example.org": true, "localhost.example.org": true,
	} {
		s := Settings{Auth: "demo", Host: host}
		if err := s.checkExposure(); (err != nil) != exposed {
			t.Errorf("%q: %v", host, err)
		}
		s.DemoAnywhere = true
		if err := s.checkExposure(); err != nil {
			t.Errorf("%q with --demo-anywhere: %v", host, err)
		}
	}
	code, _, stderr := execute(t, "", "--host", "0.0.0.0", "--port", "0", "--data", t.TempDir())
	if code == 0 || !strings.Contains(stderr, "--demo-anywhere") {
		t.Errorf("%d %s", code, stderr)
	}
}

// A command without a row in the permission table may be run by nobody.
func TestEveryCommandHasAPermission(t *testing.T) {
	t.Parallel()
	parser, err := kong.New(&commandLine{}, kong.Name("shelfcast"))
	if err != nil {
		t.Fatal(err)
	}
	for _, leaf := range parser.Model.Leaves(false) {
		command := strings.TrimPrefix(leaf.Path(), "shelfcast ")
		if row, found := auth.OfCommand(command); !found || !row.Operators {
			t.Errorf("%q has no row in internal/auth/permissions.go", command)
		}
	}
}
