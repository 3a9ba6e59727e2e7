package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
	"gopkg.in/yaml.v3"
)

// loadConfig reads a YAML file of settings for kong. It differs from kong's
// own resolver in two points. The environment wins over the file, as the
// contract says (by default a file wins over both environment and default).
// And a key that is no setting is an error: a misspelt limit that is silently
// ignored is worse than a start that fails.
func loadConfig(r io.Reader) (kong.Resolver, error) {
	values := map[string]any{}
	if err := yaml.NewDecoder(r).Decode(&values); err != nil && err != io.EOF {
		// The library's words may quote what stands there, and that may be a secret.
		where := regexp.MustCompile(`line \d+`).FindString(err.Error())
		return nil, errors.New(strings.TrimSuffix("the configuration file is not YAML of the form `name: value`, "+where, ", "))
	}
	return configFile{values}, nil
}

// dropEmptyVariables makes an environment variable that is set and empty count
// as unset, for every flag: `PORT= shelfcast`, or a line of a compose file whose
// own variable is not set, means nobody's choice.
func dropEmptyVariables(node kong.Visitable, next kong.Next) error {
	if flag, ok := node.(*kong.Flag); ok {
		names := slices.DeleteFunc(slices.Clone(flag.Envs), func(name string) bool {
			value, set := os.LookupEnv(name)
			return set && value == ""
		})
		flag.Envs, flag.Tag.Envs = names, names
	}
	return next(nil)
}

type configFile struct{ values map[string]any }

func (c configFile) Validate(app *kong.Application) error {
	known := make(map[string]bool)
	for _, flag := range app.Flags {
		known[flag.Name] = flag.Name != "help" && flag.Name != "config"
	}
	var unknown []string
	for name := range c.values {
		if known[name] {
			continue
		}
		if strings.Trim(name, "abcdefghijklmnopqrstuvwxyz-_") != "" {
			name = "one whose name is no word" // jwt-secret:… without the space, say
		}
		unknown = append(unknown, name)
	}
	if len(unknown) > 0 {
		slices.Sort(unknown)
		return fmt.Errorf("the configuration file has settings that do not exist: %s", strings.Join(unknown, ", "))
	}
	return nil
}

func (c configFile) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	for _, name := range flag.Envs {
		if _, set := os.LookupEnv(name); set {
			return nil, nil
		}
	}
	value := c.values[flag.Name]
	if _, text := value.(string); value != nil && !text && flag.Tag.Has("secret") {
		// kong would print the value; and of a long number YAML keeps some digits only.
		return nil, fmt.Errorf("%s is a secret: the configuration file has to give it as text, in quotes", flag.Name)
	}
	return value, nil
}
