package page

import (
	"elsom/internal/money"
	"elsom/templates/component"
	"elsom/templates/layout"
)

// ConfirmKind is what a ConfirmDraftPage confirms.
type ConfirmKind string

// The kinds.
const (
	ConfirmPayment  ConfirmKind = "payment"
	ConfirmTransfer ConfirmKind = "transfer"
	ConfirmList     ConfirmKind = "list"
)

// ConfirmDraftPage is `/check/DRAFT/confirm`, `/transfer/DRAFT/confirm` and `/lists/ID/confirm`, which ask
// for the PIN (AskPIN) or the SMS code before a draft is paid. Posts pin or code to
// its address; a second form posts no fields to `…/resend`.
type ConfirmDraftPage struct {
	layout.Frame
	Kind ConfirmKind
	// Path is the address of the check page.
	Path   string
	AskPIN bool
	Sum    money.Amount
	// The reasons, of which there may be none: Above is the amount from which on the
	// wallet's level requires a confirmation, if Sum is above it; 0: it isn't.
	// UnknownBrowser reports that nothing was confirmed in this browser yet.
	Above          money.Amount
	UnknownBrowser bool
	// To is the service or the receiver's name; it may be empty for a receiver.
	// AccountLabel, Account, PayeeLabel and Payee are as in CheckPage; for a transfer
	// the account is the receiver's number, and there is no payee; for a list it is the number
	// of payments.
	To, AccountLabel, Account string
	PayeeLabel, Payee         string
	Wallet                    string
	PIN, Code                 component.Input
}

// CodePage is `/login/code`, which asks for the SMS code of a login (Login), and
// `/settings/browser`, for that of an unknown browser. Posts code to Path; a second
// form posts no fields to ResendPath.
type CodePage struct {
	layout.Frame
	Login                  bool
	Path, ResendPath, Back string
	Wallet                 string
	Code                   component.Input
}

// Fail implements Form.
func (p *CodePage) Fail(field, message string) {
	fail(&p.Frame, message, field, map[string]*component.Input{"code": &p.Code})
}

// Fail implements Form.
func (p *ConfirmDraftPage) Fail(field, message string) {
	inputs := map[string]*component.Input{"code": &p.Code}
	if p.AskPIN {
		inputs = map[string]*component.Input{"pin": &p.PIN}
	}
	fail(&p.Frame, message, field, inputs)
}
