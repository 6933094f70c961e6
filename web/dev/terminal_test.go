package dev

import "testing"

// No-break spaces, with which pages group digits, are removed.
func TestTerminalNumber(t *testing.T) {
	for typed, want := range map[string]string{
		"+996\u00a0700\u00a0123\u00a0456": "+996700123456", "0700 123 456": "+996700123456", "12": "12",
	} {
		if got := terminalNumber(typed); got != want {
			t.Errorf("terminalNumber(%q) = %q", typed, got)
		}
	}
}
