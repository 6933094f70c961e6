// Package require has the checks that tests of all packages share. A check that
// fails ends its test.
package require

import (
	"testing"
	"time"
)

// NoError fails the test if err is not nil.
func NoError(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// Eventually waits up to 20 seconds until holds returns true.
func Eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for begin := time.Now(); !holds(); time.Sleep(10 * time.Millisecond) {
		if time.Since(begin) > 20*time.Second {
			t.Fatalf("timeout after 20 seconds: %s", what)
		}
	}
}

// Value returns a function that fails the test if err is not nil, and returns v
// otherwise: require.Value(catalog.Export(ctx))(t).
func Value[T any](v T, err error) func(t testing.TB) T {
	return func(t testing.TB) T {
		t.Helper()
		NoError(t, err)
		return v
	}
}
