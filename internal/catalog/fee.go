package catalog

import "elsom/internal/money"

// Fee is charged to the payer on top of the amount. The zero value is no fee.
type Fee struct {
	// BasisPoints is the percentage in hundredths of a percent, 0–10000.
	BasisPoints int64
	// Fixed is added to it.
	Fixed money.Amount
	// Minimum and Maximum limit the sum of both; 0: no limit.
	Minimum money.Amount
	Maximum money.Amount
}

// None reports whether there is no fee for any amount.
func (f Fee) None() bool { return f == Fee{} }

// Of returns the fee for an amount, computed exactly: the percentage is rounded up
// to a whole tyiyn, then the fixed part is added and the limits are applied. It is
// 0 for an amount of 0 or less.
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
