package credential

import (
	"fmt"
	"net/netip"
	"unicode/utf8"

	"elsom/internal/password"
)

const (
	nameLength  = 100
	passwordMin = 8
	passwordMax = password.Max
	maxAllowed  = 20
)

// Change is a change of a caller; nil fields stay as they are.
type Change struct {
	Name     *string
	Password *string
	Allowed  *[]netip.Prefix
}

// Empty reports whether nothing is changed.
func (c Change) Empty() bool { return c == Change{} }

// Judge returns what is wrong with the change, for the operator.
func (c Change) Judge() (wrong []string) {
	if c.Name != nil {
		if n := utf8.RuneCountInString(*c.Name); n < 1 || n > nameLength || !printable(*c.Name) {
			wrong = append(wrong, fmt.Sprintf("the name: 1 to %d characters", nameLength))
		}
	}
	if c.Password != nil {
		normal, ok := password.Normal(*c.Password)
		if n := utf8.RuneCountInString(normal); !ok || n < passwordMin || n > passwordMax || !printable(normal) {
			wrong = append(wrong, fmt.Sprintf("the password: %d to %d characters", passwordMin, passwordMax))
		}
	}
	if c.Allowed != nil && len(*c.Allowed) > maxAllowed {
		wrong = append(wrong, fmt.Sprintf("the addresses: at most %d", maxAllowed))
	}
	return wrong
}
