package main

import (
	"fmt"
	"reflect"
	"time"

	"github.com/alecthomas/kong"
	"gopkg.in/yaml.v3"
)

type configCommand struct {
	Print configPrintCommand `cmd:"" help:"Print the settings as they come from flags, environment and file, in the form of that file."`
}

type configPrintCommand struct{}

// Run prints every setting with its help. Settings that are secret are tagged
// `secret:""` and only said to be set.
func (configPrintCommand) Run(p *process, s *Settings, app *kong.Application) error {
	root := &yaml.Node{Kind: yaml.MappingNode}
	for _, flag := range app.Flags {
		if flag.Name == "help" || flag.Name == "config" {
			continue
		}
		value := &yaml.Node{}
		if err := value.Encode(printable(flag)); err != nil {
			return fmt.Errorf("--%s: %w", flag.Name, err)
		}
		key := &yaml.Node{Kind: yaml.ScalarNode, Value: flag.Name, HeadComment: flag.Help}
		root.Content = append(root.Content, key, value)
	}
	encoder := yaml.NewEncoder(p.stdout)
	encoder.SetIndent(2)
	if err := encoder.Encode(root); err != nil {
		return err
	}
	return encoder.Close()
}

// printable is a setting's value as the YAML file would have it.
func printable(flag *kong.Flag) any {
	if flag.Tag.Has("secret") {
		if flag.Target.IsZero() {
			return ""
		}
		return "(set, not shown)"
	}
	value := flag.Target.Interface()
	if duration, ok := value.(time.Duration); ok {
		return duration.String()
	}
	if flag.Target.Kind() == reflect.Slice && flag.Target.Len() == 0 {
		return []string{}
	}
	return value
}
