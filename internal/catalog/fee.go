package catalog

import "elsom/internal/money"

// Fee is what a payer pays above the amount. The zero value is no fee.
type Fee struct {
	// BasisPoints is the percentage in hundredths of a percent, 0–10000.
	BasisPoints int64
	// Fixed is added to it.
	Fixed money.Amount
	// Minimum and Maximum bound the whole of it; 0: no bound.
	Minimum money.Amount
	Maximum money.Amount
}

// None tells whether there is no fee whatever the amount.
func (f Fee) None() bool { return f == Fee{} }

// Of gives the fee for an amount above zero, computed exactly: a broken tyiyn
// of the percentage is rounded up to a whole one, then the fixed part is added
// and the bounds are kept. No fee is taken of nothing.
func (f Fee) Of(amount money.Amount) money.Amount {
	if amount <= 0 || f.None() {
		return 0
	}
	const whole = 10_000
	// Split, so that the product can't overflow whatever the amount.
	fee := amount / whole * money.Amount(f.BasisPoints)
	fee += (amount%whole*money.Amount(f.BasisPoints) + whole - 1) / whole
	fee += f.Fixed
	if fee < f.Minimum {
		fee = f.Minimum
	}
	if f.Maximum > 0 && fee > f.Maximum {
		fee = f.Maximum
	}
	return fee
}
