package payment

import (
	"crypto/rand"
	"fmt"
	"math/big"
	"time"
)

// newTxnID returns a payment's number for the biller: 13 digits of Unix
// milliseconds and 6 random ones; the database refuses a second draft with the same
// one. It is not a sequence: after a restore from a backup a sequence would repeat
// numbers, and a biller that stores outcomes by number would return that of another
// payment.
func newTxnID(now time.Time) string {
	return fmt.Sprintf("%013d%06d", now.UnixMilli(), random(1_000_000))
}

// newCode returns a payment code, which the customer quotes to support: 11 random
// digits and their Luhn digit, which detects a mistyped one. The caller repeats it
// on a collision.
func newCode() string {
	digits := fmt.Sprintf("%011d", random(100_000_000_000))
	return digits + string(luhn(digits))
}

func random(below int64) int64 {
	n, err := rand.Int(rand.Reader, big.NewInt(below))
	if err != nil {
		panic(err) // never: crypto/rand doesn't fail
	}
	return n.Int64()
}

// luhn returns the check digit, as a character, of a string of digits (ISO/IEC
// 7812-1, annex B).
func luhn(digits string) byte {
	sum := 0
	for i := range len(digits) {
		d := int(digits[len(digits)-1-i] - '0')
		if i%2 == 0 { // doubled from the last digit on: the check digit follows it
			d *= 2
			if d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return byte('0' + (10-sum%10)%10)
}

// ValidCode reports whether text is a payment code: 12 digits, the last a Luhn
// digit.
func ValidCode(text string) bool {
	if len(text) != 12 {
		return false
	}
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' {
			return false
		}
	}
	return luhn(text[:11]) == text[11]
}
