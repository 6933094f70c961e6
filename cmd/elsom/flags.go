package main

import (
	"fmt"

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
