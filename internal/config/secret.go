package config

import (
	"fmt"
	"io"
	"log/slog"
)

// Secret is a value that never shows itself: every way of printing, logging
// or encoding it gives a mask. Reveal hands it to the part that needs it.
type Secret string

const mask = "•••"

// Reveal gives the value itself.
func (s Secret) Reveal() string { return string(s) }

// Set tells whether there is a value at all.
func (s Secret) Set() bool { return s != "" }

// String gives the mask, or nothing where nothing is set.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return mask
}

// Format masks the value under every verb: the package fmt prints the bare
// value of a Stringer when the verb is a wrong one.
func (s Secret) Format(state fmt.State, _ rune) { _, _ = io.WriteString(state, s.String()) }

// LogValue masks the value in logs.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText masks the value in JSON and its like.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
