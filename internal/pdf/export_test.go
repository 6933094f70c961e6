package pdf

// Characters returns the characters of both fonts.
func Characters() (r, s map[rune]bool) { return characters(regular), characters(semibold) }
