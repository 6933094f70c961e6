package component

import (
	"unicode/utf8"

	"elsom/internal/money"
)

// SumClass returns the CSS class that makes a long amount fit a narrow screen.
func SumClass(a money.Amount) string {
	switch n := utf8.RuneCountInString(a.Group()); {
	case n > 14:
		return "sum-longest"
	case n > 10:
		return "sum-long"
	}
	return ""
}

func toneIcon(tone string) string {
	switch tone {
	case "good":
		return "circle-check"
	case "warn", "bad":
		return "triangle-alert"
	}
	return "info"
}

// The paths of the logo in a square of 48: the right horn, mirrored for the left
// one, and the foot.
const (
	hornRight = "M24 31V21C24 12 29 7 35 7c5 0 8 3.6 8 8 0 4.2-3 7-6.6 7-3 0-5.2-2.2-5.2-4.9 0-2.3 1.7-3.9 3.8-3.9"
	hornFoot  = "M24 30l6.5 6L24 42l-6.5-6z"
)
