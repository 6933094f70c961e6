package system

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
)

// NewMegacomPerson has a number that reaches *900#.
func NewMegacomPerson() Person {
	p := NewPerson()
	p.Phone = strings.Replace(p.Phone, "+996700", "+996550", 1)
	return p
}

var people atomic.Int64

// Person is somebody with a phone, a company and a password.
type Person struct{ Phone, INN, Email, Password string }

// NewPerson gives a person whom nobody knows yet.
func NewPerson() Person {
	n := people.Add(1)
	return Person{
		Phone:    fmt.Sprintf("+996700%06d", 100000+n),
		INN:      fmt.Sprintf("002071996%05d", n),
		Email:    fmt.Sprintf("visitor%d@example.kg", n),
		Password: "көк-дөңгөлөк 2026",
	}
}

// ValidPaymentCode tells whether a payment code is what it should be: twelve digits, the
// last of them by Luhn's rule.
func ValidPaymentCode(code string) bool {
	if len(code) != 12 || strings.Trim(code, "0123456789") != "" {
		return false
	}
	sum := 0
	digits := []byte(code)
	slices.Reverse(digits)
	for i, d := range digits {
		n := int(d - '0')
		if i%2 == 1 {
			if n *= 2; n > 9 {
				n -= 9
			}
		}
		sum += n
	}
	return sum%10 == 0
}
