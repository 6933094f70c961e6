package page

import (
	"time"

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

// ConfirmEmailPage is `/settings/email/confirm`. Posts code there; its other button posts to
// `/settings/email/send`. Both post receipt.
type ConfirmEmailPage struct {
	layout.Frame
	Wallet, Email string
	// Sent reports that a code was sent to Email.
	Sent bool
	// Receipt is the payment whose receipt is sent once the address is confirmed; empty:
	// none.
	Receipt string
	Code    component.Input
}

// NotifyPage is `/settings/messages`. Posts the field of each choice that is on, and
// password.
type NotifyPage struct {
	layout.Frame
	Wallet string
	// Push and Mails report whether there are notifications and e-mails at all,
	// EmailConfirmed whether e-mails reach the customer.
	Push, Mails, EmailConfirmed bool
	Kinds                       []NotifyKind
	Password                    component.Input
}

// NotifyKind is a kind of notices with its choices. Name is its message key; Receipt
// reports that the e-mail is a receipt.
type NotifyKind struct {
	Name             string
	Receipt          bool
	SMS, Push, Email Choice
}

// Choice is a box that is ticked or not, with the name of its field.
type Choice struct {
	Name string
	On   bool
}

// LoginsPage is `/settings/logins`. NewestHref and OlderHref are as in MessagesPage.
type LoginsPage struct {
	layout.Frame
	Logins                []LoginEvent
	NewestHref, OlderHref string
}

// LoginEvent is a login or an attempt at one. Result is its message key.
type LoginEvent struct {
	At              time.Time
	Device, Network string
	Result          string
	// Good reports that the browser was let in, Here that it is this one.
	Good, Here bool
	// Count is the number of attempts that this one stands for.
	Count int64
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
func (p *ConfirmEmailPage) Fail(field, message string) {
	inputs := map[string]*component.Input{}
	if p.Sent {
		inputs["code"] = &p.Code
	}
	fail(&p.Frame, message, field, inputs)
}

func (p ConfirmEmailPage) form() string {
	if p.Sent {
		return "confirm-email"
	}
	return "send-code"
}

// back returns the page that led here, backTo its name.
func (p ConfirmEmailPage) back() string {
	if p.Receipt != "" {
		return "/receipt/" + p.Receipt
	}
	return "/settings"
}

func (p ConfirmEmailPage) backTo() string {
	if p.Receipt != "" {
		return p.T("portal.receipt.title")
	}
	return p.T("portal.settings.title")
}

// Fail implements Form.
func (p *NotifyPage) Fail(field, message string) {
	fail(&p.Frame, message, field, map[string]*component.Input{"password": &p.Password})
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

func (e LoginEvent) icon() string {
	if e.Good {
		return "circle-check"
	}
	return "triangle-alert"
}
