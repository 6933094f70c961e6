package page

import (
	"elsom/internal/money"
	"elsom/templates/component"
	"elsom/templates/layout"
)

// LimitsPage is `/limits`. A limit of 0 means no limit.
type LimitsPage struct {
	layout.Frame
	Operation, Day, Month, Balance money.Amount
	// DayLeft and MonthLeft can still be sent, Receivable can still be received;
	// WalletBalance is
	// the current balance.
	DayLeft, MonthLeft, Receivable, WalletBalance money.Amount
}

// EmailPage is `/settings/email`. Posts email and password.
type EmailPage struct {
	layout.Frame
	Wallet string
	// Now is the current address.
	Now             string
	Email, Password component.Input
}

// ClosePage is `/settings/close`. Posts password and, with AskPIN, pin.
type ClosePage struct {
	layout.Frame
	Wallet string
	// Balance and the number of Open payments must be 0 before closing.
	Balance       money.Amount
	Open          int
	AskPIN        bool
	Password, PIN component.Input
}

// ClosedPage is `/closed`.
type ClosedPage struct{ layout.Frame }

// Fail implements Form.
func (p *EmailPage) Fail(field, message string) {
	fail(&p.Frame, message, field, map[string]*component.Input{"email": &p.Email, "password": &p.Password})
}

// Fail implements Form.
func (p *ClosePage) Fail(field, message string) {
	inputs := map[string]*component.Input{}
	if p.form() != "" {
		inputs["password"] = &p.Password
		if p.AskPIN {
			inputs["pin"] = &p.PIN
		}
	}
	fail(&p.Frame, message, field, inputs)
}

// form is the id of the form; empty: the page has no form.
func (p ClosePage) form() string {
	if p.Balance > 0 || p.Open > 0 {
		return ""
	}
	return "close-form"
}
