package main

import (
	"fmt"
	"slices"
	"strings"

	"elsom/internal/money"
)

// som is an amount on the command line.
type som money.Amount

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *som) UnmarshalText(text []byte) error {
	amount, err := money.Parse(string(text))
	if err != nil {
		return fmt.Errorf("%q is not an amount in som, as 250 or 250.50", text)
	}
	*s = som(amount)
	return nil
}

// knownValue returns an error that lists the known values, if a flag has another one;
// "" is a flag that was not given.
func knownValue[T ~string](flag string, value T, known []T) error {
	//mutant:replace value == "" || => true || TestUnknownValuesOfFiltersAreRefused
	if value == "" || slices.Contains(known, value) {
		return nil
	}
	texts := make([]string, len(known))
	for i, k := range known {
		texts[i] = string(k)
	}
	return usageError("%s: %q is not known; it is one of %s", flag, string(value), strings.Join(texts, ", "))
}
