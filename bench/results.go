package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// result is what one scenario measured, as it is kept below bench/results.
type result struct {
	Scenario    string      `json:"scenario"`
	Taken       time.Time   `json:"taken"`
	Quick       bool        `json:"quick"`
	Rounds      int         `json:"rounds"`
	Environment environment `json:"environment"`
	Figures     figures     `json:"figures"`
	Verdicts    []verdict   `json:"verdicts"`
}

// archive keeps the last result of each scenario, so that one row can be measured again and the
// page still shows all. Quick results are kept beside, and are never for the page.
type archive struct{ folder string }

func (a archive) file(scenario string, quick bool) string {
	if quick {
		scenario += "-quick"
	}
	return filepath.Join(a.folder, scenario+".json")
}

func (a archive) save(one result) error {
	content, err := json.MarshalIndent(one, "", "  ")
	if err != nil {
		return fmt.Errorf("a result as JSON: %w", err)
	}
	return os.WriteFile(a.file(one.Scenario, one.Quick), append(content, '\n'), 0o644)
}

// load returns the last full result of a scenario; false if there is none.
func (a archive) load(scenario string) (result, bool, error) {
	content, err := os.ReadFile(a.file(scenario, false))
	if errors.Is(err, fs.ErrNotExist) {
		return result{}, false, nil
	}
	var kept result
	if err == nil {
		err = json.Unmarshal(content, &kept)
	}
	if err != nil {
		return result{}, false, fmt.Errorf("an earlier result: %w", err)
	}
	return kept, true, nil
}

// judge makes all comparisons whose sides were measured.
func judge(comparisons []comparison, measured figures) []verdict {
	var verdicts []verdict
	for _, one := range comparisons {
		if made, found := one.compare(measured); found {
			verdicts = append(verdicts, made)
		}
	}
	return verdicts
}
