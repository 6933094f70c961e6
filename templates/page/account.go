package page

import (
	"elsom/internal/money"
	"elsom/templates/component"
	"elsom/templates/layout"
)

// LimitsPage is `/limits`. A bound of 0: there is none.
type LimitsPage struct {
	layout.Frame
	Operation, Day, Month, Balance money.Amount
	// DayLeft and MonthLeft may still be sent, Room may still be taken in; Holds
	// is in the wallet now.
	DayLeft, MonthLeft, Room, Holds money.Amount
}

// EmailPage is `/settings/email`. Posts email and password.
type EmailPage struct {
	layout.Frame
	Wallet string
	// Now is the address of today.
	Now             string
	Email, Password component.Input
}

// ClosePage is `/settings/close`. Posts password, and pin where it is asked.
type ClosePage struct {
	layout.Frame
	Wallet string
	// Balance and Open payments stand against closing; 0: none.
	Balance       money.Amount
	Open          int
	AskPIN        bool
	Password, PIN component.Input
}

// ClosedPage is `/closed`.
type ClosedPage struct{ layout.Frame }

// Fail implements Form.
func (p *EmailPage) Fail(field, words string) {
	fail(&p.Frame, words, field, map[string]*component.Input{"email": &p.Email, "password": &p.Password})
}

// Fail implements Form.
func (p *ClosePage) Fail(field, words string) {
	inputs := map[string]*component.Input{}
	if p.form() != "" {
		inputs["password"] = &p.Password
		if p.AskPIN {
			inputs["pin"] = &p.PIN
		}
	}
	fail(&p.Frame, words, field, inputs)
}

// form is the id of the form; empty: there is none to fill in.
func (p ClosePage) form() string {
	if p.Balance > 0 || p.Open > 0 {
		return ""
	}
	return "close-form"
}
