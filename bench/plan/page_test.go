package main

import (
	"os"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// The page is what the program writes from what was measured.
func TestPageIsUpToDate(t *testing.T) {
	t.Parallel()
	m, err := readMeasured()
	if err != nil {
		t.Fatal(err)
	}
	want, err := page(m)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join("../..", pageName))
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("%s is not what the simulation says; `make plan` writes it anew", pageName)
	}
}

func TestNumbersAreGrouped(t *testing.T) {
	t.Parallel()
	for number, want := range map[float64]string{0: "0", 999.4: "999", 1000: "1,000", 1234567: "1,234,567"} {
		if got := grouped(number); got != want {
			t.Errorf("%g is written %s", number, got)
		}
	}
}
