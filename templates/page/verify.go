package page

import (
	"strconv"
	"time"

	"elsom/internal/i18n"
	"elsom/internal/money"
	"elsom/templates/component"
	"elsom/templates/layout"
)

// VerifyPage is `/verify`, which asks what a receipt says. Posts code, amount, day.
type VerifyPage struct {
	layout.Frame
	Code, Amount, Day component.Input
}

// Seal is the state of a payment in the signed log.
type Seal string

// The states of a payment in the log.
const (
	Sealed   Seal = "sealed"
	Soon     Seal = "soon"     // its end is not in the log yet
	Unsealed Seal = "unsealed" // there is no signed log
)

// VerifiedPage is `/verify/TOKEN`, which strangers see: nothing personal.
type VerifiedPage struct {
	layout.Frame
	Status        Status // Completed or Refunded
	Amount, Total money.Amount
	Day           time.Time
	Seal          Seal
	// Records and SignedAt are those of the log's newest checkpoint, with Sealed.
	Records  int64
	SignedAt time.Time
}

func (p VerifiedPage) proof() string {
	return p.T("verify.log_"+string(p.Seal), i18n.Args{"At": component.Stamp(p.SignedAt), "Records": i18n.NoBreak(count(p.Records))})
}

// count writes a number in groups of three digits.
func count(n int64) string {
	text := strconv.FormatInt(n, 10)
	for at := len(text) - 3; at > 0; at -= 3 {
		text = text[:at] + " " + text[at:]
	}
	return text
}

// Fail implements Form.
func (p *VerifyPage) Fail(field, message string) {
	fail(&p.Frame, message, field, map[string]*component.Input{"code": &p.Code, "amount": &p.Amount, "day": &p.Day})
}
