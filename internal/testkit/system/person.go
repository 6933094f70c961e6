package system

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
)

// NewMegacomPerson returns a person whose carrier has *900#.
func NewMegacomPerson() Person {
	p := NewPerson()
	p.Phone = strings.Replace(p.Phone, "+996700", "+996550", 1)
	return p
}

var people atomic.Int64

// Person is a customer, with the ИНН of a company to pay to.
type Person struct{ Phone, INN, Email, Password string }

// NewPerson returns a person who is not registered.
func NewPerson() Person {
	n := people.Add(1)
	return Person{
		Phone:    fmt.Sprintf("+996700%06d", 100000+n),
		INN:      fmt.Sprintf("002071996%05d", n),
		Email:    fmt.Sprintf("visitor%d@example.kg", n),
		Password: "көк-дөңгөлөк 2026",
	}
}

// ValidPaymentCode reports whether a payment code has twelve digits with a valid
// Luhn check digit.
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
