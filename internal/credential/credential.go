// Package credential authenticates the machines that call us: cash-in agents and
// gateways.
//
// It guarantees that every refusal (unknown code, wrong password, address not
// allowed, disabled) has the same error and takes the same time; that an attempt is
// counted before the password is hashed; and that a password that was right before
// is recognized without counting, so that guesses from elsewhere never lock out a
// working machine. A changed or disabled credential is refused at once by the process
// that changed it, and within a second by every other. Passwords are stored as hashes
// only. The package does not decide what an authenticated machine may do.
package credential

import (
	"context"
	"fmt"
	"net/netip"
	"regexp"
	"time"
	"unicode/utf8"

	"elsom/internal/password"
	"elsom/internal/ratelimit"
)

const (
	nameLength  = 100
	passwordMin = 8
	passwordMax = password.Max
	maxAllowed  = 20
)

// Realm is a group of machines with the same table and limits: agents or gateways.
// In this package a caller is a machine of a realm.
type Realm struct {
	// Name is the singular name of the group, for messages: agent, gateway.
	Name string
	// Table holds the realm's rows: the columns of row and those of its details.
	Table  string
	Limits Limits
	// DemoPassword returns the public password of a development caller. Only Seed
	// stores it.
	DemoPassword func(code string) string
}

// Limits are the rate limits of password attempts: for one code from one address,
// for all codes from one address, and for one code from all addresses (see
// ratelimit.Address). A password that was right before is not counted, so that no
// limit locks out a caller that has authenticated once.
type Limits struct{ Code, Address, Total ratelimit.Rule }

// Counters counts attempts; *ratelimit.Counters implements it.
type Counters interface {
	Take(ctx context.Context, rule ratelimit.Rule, subject string) error
	Reset(ctx context.Context, rule ratelimit.Rule, subject string) error
}

// Entry is a stored caller. Details are the further columns of its realm's table.
type Entry[Details any] struct {
	// Code is the user name of HTTP Basic: lower-case Latin letters, digits, dashes.
	Code string
	Name string
	// Allowed are the addresses that requests may come from; empty means all.
	Allowed  []netip.Prefix
	Disabled bool
	// Unreadable reports that the stored addresses are malformed; Disabled is then
	// true.
	Unreadable bool
	CreatedAt  time.Time
	Details    Details
}

// New is a caller to be added.
type New[Details any] struct {
	Code     string
	Name     string
	Password string // 8–128 characters; stored hashed
	Allowed  []netip.Prefix
	Details  Details
}

// Change changes a caller; nil fields stay as they are. The code never changes.
type Change struct {
	Name     *string
	Password *string
	Allowed  *[]netip.Prefix
}

// Empty reports whether nothing is changed.
func (c Change) Empty() bool { return c == Change{} }

// problems returns descriptions, for the operator, of invalid fields.
func (c Change) problems() (problems []string) {
	if c.Name != nil {
		if n := utf8.RuneCountInString(*c.Name); n < 1 || n > nameLength || !printable(*c.Name) {
			problems = append(problems, fmt.Sprintf("the name: 1 to %d characters", nameLength))
		}
	}
	if c.Password != nil {
		normal, ok := password.Normal(*c.Password)
		if n := utf8.RuneCountInString(normal); !ok || n < passwordMin || n > passwordMax || !printable(normal) {
			problems = append(problems, fmt.Sprintf("the password: %d to %d characters", passwordMin, passwordMax))
		}
	}
	if c.Allowed != nil && len(*c.Allowed) > maxAllowed {
		problems = append(problems, fmt.Sprintf("the addresses: at most %d", maxAllowed))
	}
	return problems
}

var codeForm = regexp.MustCompile(`\A[a-z0-9][a-z0-9-]{0,31}\z`)

// IsCode reports whether the text has the form of a code. Other user names are not
// logged: they may be mistyped passwords.
func IsCode(text string) bool { return codeForm.MatchString(text) }
