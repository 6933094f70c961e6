package dev

import "testing"

// A number with the no-break spaces by which pages group it is found too.
func TestDialled(t *testing.T) {
	for typed, want := range map[string]string{
		"+996\u00a0700\u00a0123\u00a0456": "+996700123456", "0700 123 456": "+996700123456", "12": "12",
	} {
		if got := dialled(typed); got != want {
			t.Errorf("%q is dialled %q", typed, got)
		}
	}
}
