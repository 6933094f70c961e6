// Package page shows the pages of a wallet holder's browser: one file per
// act, named as in web/portal, each taking one struct that stands here.
//
// It promises pages that work without scripts, in three languages. It decides
// nothing: states, amounts and addresses come in the structs.
package page

import (
	"time"

	"elsom/internal/money"
	"elsom/templates/component"
	"elsom/templates/layout"
)

// Form is a page on which something typed can be wrong.
type Form interface {
	// Fail puts the words at the field of that name, or at the head of the
	// page when the page has no such field. The first words at a field stay.
	Fail(field, words string)
	// LeadTo adds a link to the error summary.
	LeadTo(href, words string)
}

// PhonePage is `/`: a number to begin with. Posts phone to `/`.
type PhonePage struct {
	layout.Frame
	Phone component.Input
}

// LoginPage is `/login`: the password of a known number. Posts password.
type LoginPage struct {
	layout.Frame
	// Wallet is the number as people read it.
	Wallet   string
	Password component.Input
}

// SignupPage is `/signup`: a new number. Posts email, password, offer.
type SignupPage struct {
	layout.Frame
	Wallet                 string
	Email, Password, Offer component.Input
	Edition                Edition
	// Closed is when the last wallet of the number was closed; zero: none was.
	Closed time.Time
}

// ConfirmPage is `/confirm`: the SMS code of a sign-up. Posts code; a second
// form posts nothing to `/confirm/resend`.
type ConfirmPage struct {
	layout.Frame
	Wallet string
	Code   component.Input
}

// ResetPage is `/reset`: asks for an SMS code. Posts phone.
type ResetPage struct {
	layout.Frame
	Phone component.Input
	// HoldHours is how long a wallet without a PIN sends nothing afterwards.
	HoldHours int
}

// ResetConfirmPage is `/reset/confirm`: SMS code and a new password. Posts
// code and password.
type ResetConfirmPage struct {
	layout.Frame
	Wallet         string
	Code, Password component.Input
	// HoldHours is that of ResetPage.
	HoldHours int
}

// Edition is one version of the public offer.
type Edition struct {
	// Version is the name under which its acceptance is kept.
	Version string
	// Date is the day from which it holds.
	Date time.Time
}

// OfferPage is `/offer`: the public offer, whole.
type OfferPage struct {
	layout.Frame
	Edition Edition
}

// Kind is what an operation is.
type Kind string

// The operations that a wallet's history knows.
const (
	Payment    Kind = "payment"
	CashIn     Kind = "cashin"
	Refund     Kind = "refund"
	Sent       Kind = "sent"       // a transfer to another wallet
	Got        Kind = "got"        // a transfer from another wallet
	Correction Kind = "correction" // made by staff
)

// Status is how far a payment is, by the words of the web channel.
type Status string

// The states of a payment. Operations that are no payments are Completed.
const (
	Processing Status = "processing"
	Completed  Status = "completed"
	Refunded   Status = "refunded"
)

// Operation is one line of the history.
type Operation struct {
	// Href is the operation's own page.
	Href string
	Kind Kind
	// Name is the service, the agent that took the cash, or who is on the other
	// side of a transfer, in the page's language.
	Name string
	// Detail is what tells it from its like: the company and the end of its
	// ИНН, or the whole ИНН in groups.
	Detail string
	// Amount is signed: money out is negative. It is the total with the fee.
	Amount money.Amount
	Status Status
	At     time.Time
}

// CabinetPage is `/cabinet`.
type CabinetPage struct {
	layout.Frame
	Wallet  string
	Balance money.Amount
	// Operations are the last few, newest first.
	Operations []Operation
	// Payments are services to pay again in one step, at most three.
	Payments []Service
	// Held says until when nothing can be sent, since the password was set by
	// SMS; empty: it can.
	Held string
}

// OperationPage is `/history/ID`.
type OperationPage struct {
	layout.Frame
	Operation Operation
	// AccountLabel and Account stand for payments: "ИНН", "0020 7199 …".
	AccountLabel, Account string
	// PayeeLabel and Payee: "Компания" and the name that the biller told;
	// empty: it told none.
	PayeeLabel, Payee string
	// Code is the payment code, 12 digits; empty where there is none.
	Code string
	// Sum and Fee are the parts of the amount, both without sign.
	Sum, Fee money.Amount
	// ReceiptHref and RepeatHref are empty where there is nothing behind them.
	ReceiptHref, RepeatHref string
}

// HistoryPage is `/history?direction=in|out`.
type HistoryPage struct {
	layout.Frame
	// Direction is "in", "out" or empty for both.
	Direction  string
	Operations []Operation
	// In and Out are the sums of all that the filter finds, without sign.
	In, Out money.Amount
	// Count is how many operations the filter finds on all pages.
	Count int
	// NewerHref and OlderHref are empty on the first and last page.
	NewerHref, OlderHref string
}

// Category is a group of services.
type Category struct {
	// Code picks the icon ("other", "internet", …); an unknown one gets a general icon.
	Code, Name, Href string
	// Examples names some of its services, in one line.
	Examples string
}

// Service is something that can be paid.
type Service struct {
	Code, Name, Href string
	// Category is its category's name, shown in search results and repeats.
	Category string
	// Detail is shown instead of Category where it is set: whom it was paid for
	// last time.
	Detail string
	// Sum is what was paid then; 0: not shown.
	Sum money.Amount
}

// ServicesPage is `/services?q=`.
type ServicesPage struct {
	layout.Frame
	// Query is what was searched, as typed; empty: the categories are shown.
	Query      string
	Categories []Category
	Found      []Service
}

// CategoryPage is `/services/CODE`.
type CategoryPage struct {
	layout.Frame
	Name     string
	Services []Service
}

// FeeRule is what a service costs above its amount, in the catalogue's shape:
// FeeRule(service.Fee) makes one.
type FeeRule struct {
	BasisPoints             int64
	Fixed, Minimum, Maximum money.Amount
}

// PayPage is `/pay/CODE`. Posts account and amount.
type PayPage struct {
	layout.Frame
	// Code is the service's, for the address to post to.
	Code, Service string
	// CategoryName and CategoryHref lead back.
	CategoryName, CategoryHref string
	// AccountLabel and AccountHint are the catalogue's words in the page's language.
	AccountLabel, AccountHint string
	// INN tells that the account is an ИНН: 14 digits, with help on where to find it.
	INN             bool
	Account, Amount component.Input
	Balance         money.Amount
	// Minimum and Maximum are the service's bounds; 0: none.
	Minimum, Maximum money.Amount
	// Fee is the service's; the zero value is none.
	Fee FeeRule
	// Held says until when nothing can be sent, since the password was set by
	// SMS; empty: it can.
	Held string
}

// CheckState is what stands between a draft and its payment.
type CheckState string

// The states of the check page.
const (
	// Ready: the draft can be paid.
	Ready CheckState = "ready"
	// Short: the wallet has too little for it today; the draft is kept.
	Short CheckState = "short"
	// FeeChanged: the fee is no longer the one that was shown; a new draft
	// with the new fee is on the page, to be confirmed anew.
	FeeChanged CheckState = "fee"
	// Paid: it was paid before; nothing is paid a second time.
	Paid CheckState = "paid"
	// Expired: too old to be paid; its values go back to the form.
	Expired CheckState = "expired"
)

// CheckPage is `/check/DRAFT`. Posts nothing but the token, and pin where it
// is asked.
type CheckPage struct {
	layout.Frame
	State CheckState
	// Draft is the draft's id, for the address to post to.
	Draft   string
	Service string
	// AccountLabel and Account: "ИНН", in groups of four.
	AccountLabel, Account string
	// PayeeLabel and Payee: "Компания" and the name that the biller told, of
	// the account's holder; empty: it told none.
	PayeeLabel, Payee string
	// Suspect tells that the ИНН looks mistyped.
	Suspect            bool
	Amount, Fee, Total money.Amount
	// OldFee is what was shown before, with FeeChanged.
	OldFee money.Amount
	// Wallet is the number that pays, as people read it.
	Wallet string
	// Balance is today's; After is what is left when this is paid.
	Balance, After money.Amount
	// BackHref leads to the form with what was typed.
	BackHref string
	// ReceiptHref is set with Paid.
	ReceiptHref string
	// AskPIN tells that the site wants the PIN once before it pays.
	AskPIN bool
	PIN    component.Input
	// Held says until when nothing can be sent, since the password was set by
	// SMS; empty: it can.
	Held string
}

// ReceiptPage is `/receipt/ID`.
type ReceiptPage struct {
	layout.Frame
	Status Status
	// Code is the payment code, 12 digits.
	Code string
	// At is when it was accepted; EndedAt when it was completed or refunded.
	At, EndedAt           time.Time
	Service               string
	AccountLabel, Account string
	PayeeLabel, Payee     string
	Amount, Fee, Total    money.Amount
	Wallet                string
	// Reason says in words why it was refunded, where the biller told.
	Reason string
	// Balance is today's.
	Balance    money.Amount
	RepeatHref string
}

// FillPage is `/fill`: how to fill the wallet.
type FillPage struct {
	layout.Frame
	// Wallet is the person's own number; empty when nobody is signed in.
	Wallet string
	// BackHref leads to the payment that waits for the money; empty: none does.
	BackHref string
	// Missing is what that payment still lacks; 0: nothing.
	Missing money.Amount
	// Transfer: what waits is a transfer and no payment.
	Transfer bool
}

// HelpPage is `/help`.
type HelpPage struct{ layout.Frame }

// Session is one browser in which the person is signed in.
type Session struct {
	ID string
	// Device is what the browser says of itself, in short.
	Device string
	// Network is the beginning of the address that logged in; empty: not known.
	Network        string
	LoggedIn, Seen time.Time
	// Current is the one that asks.
	Current bool
}

// SettingsPage is `/settings`. Forms: `/settings/password` posts old_password
// and password; `/settings/sessions/end` posts session (an ID, or "others").
type SettingsPage struct {
	layout.Frame
	Wallet, Email         string
	OldPassword, Password component.Input
	Sessions              []Session
	// HasPIN tells whether there is a PIN to change.
	HasPIN bool
	// NoticesKey is the public key of notices; empty: there are none.
	NoticesKey string
	Notices    []NoticeDevice
}

// NoticeDevice is one browser that is told of payments.
type NoticeDevice struct {
	ID, Device string
	Since      time.Time
}

// ErrorPage is any answer that could not be the page asked for.
type ErrorPage struct {
	layout.Frame
	// Status is 403, 404, 422, 429, 500 or 503; others are shown as 500.
	Status int
	// Stale is a form that is out of date (403): nothing was done.
	Stale bool
	// RetryAfter is when to come back (429, 503); 0: not known.
	RetryAfter time.Duration
	// Words replaces the general words of the status, where the act has its own.
	Words string
	// BackHref leads to where the person was; empty: the cabinet or the first page.
	BackHref string
}
