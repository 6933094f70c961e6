// Package page renders the pages of a customer's browser. Each page is a struct,
// declared here or in the Go file of its topic (account.go, pin.go, transfer.go, …), and
// a template in a .templ file, mostly named as the handler's file in web/portal.
//
// Pages are in three languages and work without scripts. They call no services:
// states, amounts and addresses come in the structs, and a template only chooses
// what to show for them.
//
// In the structs, Wallet is the customer's phone number in readable form, a draft is
// a payment or transfer that waits for confirmation, and a hold is a time during
// which the customer may not send money.
package page

import (
	"time"

	"elsom/internal/money"
	"elsom/internal/qr"
	"elsom/templates/component"
	"elsom/templates/layout"
)

// Form is a page with a form, on which errors can be shown. Fields are named as in
// the posted form.
type Form interface {
	// Fail shows the message at the field, or at the top of the page if the page
	// has no such field. The first message of a field is kept.
	Fail(field, message string)
	// AddLink adds a link to the error summary.
	AddLink(href, text string)
}

// PhonePage is `/`, which asks for a number. Posts phone to `/`.
type PhonePage struct {
	layout.Frame
	Phone component.Input
}

// LoginPage is `/login`, which asks for the password of a known number. Posts password.
type LoginPage struct {
	layout.Frame
	Wallet   string
	Password component.Input
}

// SignupPage is `/signup`, the registration of a number. Posts email, password, offer.
type SignupPage struct {
	layout.Frame
	Wallet                 string
	Email, Password, Offer component.Input
	Edition                Edition
	// Closed is when the number's last wallet was closed; zero: there was none.
	Closed time.Time
}

// ConfirmPage is `/confirm`, which asks for the SMS code of a registration. Posts
// code; a second form posts no fields to `/confirm/resend`.
type ConfirmPage struct {
	layout.Frame
	Wallet string
	Code   component.Input
}

// ResetPage is `/reset`, which sends an SMS code for a new password. Posts phone.
type ResetPage struct {
	layout.Frame
	Phone component.Input
	// HoldHours is the length of the hold that a new password puts on a wallet without
	// a PIN. A wallet with a PIN gets none: the site asks for the PIN once instead.
	HoldHours int
}

// ResetConfirmPage is `/reset/confirm`, which asks for the SMS code and a new
// password. Posts code and password.
type ResetConfirmPage struct {
	layout.Frame
	Wallet         string
	Code, Password component.Input
	// HoldHours is as in ResetPage.
	HoldHours int
}

// Edition is one version of the public offer.
type Edition struct {
	// Version is stored with an acceptance.
	Version string
	// Date is the day from which it is in force.
	Date time.Time
}

// OfferPage is `/offer`, the public offer.
type OfferPage struct {
	layout.Frame
	Edition Edition
}

// Kind is the kind of an operation.
type Kind string

// The kinds of operations in a wallet's history.
const (
	Payment    Kind = "payment"
	CashIn     Kind = "cashin"
	Refund     Kind = "refund"
	Sent       Kind = "sent"       // a transfer to another wallet
	Received   Kind = "got"        // a transfer from another wallet; "got" is part of message keys
	Correction Kind = "correction" // made by staff
)

// Status is the state of a payment.
type Status string

// The states of a payment. Other operations are Completed.
const (
	Processing Status = "processing"
	Completed  Status = "completed"
	Refunded   Status = "refunded"
)

// Operation is one line of the history.
type Operation struct {
	// Href is the receipt of a payment or transfer, otherwise the operation's own page.
	Href string
	Kind Kind
	// Name is the service, the cash-in agent or the other side of a transfer, in the
	// page's language.
	Name string
	// Detail distinguishes it from others of that name: for payments the account
	// holder and the account, or the account alone; for transfers the other number if
	// Name is a person's name. An ИНН is shortened beside a name, else in groups.
	Detail string
	// Party and Number are the parts of Detail in columns: the account holder's or the
	// other person's name; the whole account or number.
	Party, Number string
	// Amount is the total with the fee, negative for money out.
	Amount money.Amount
	Status Status
	At     time.Time
}

// CabinetPage is `/cabinet`.
type CabinetPage struct {
	layout.Frame
	Wallet  string
	Balance money.Amount
	// Operations are the latest, newest first.
	Operations []Operation
	// Payments are services to pay again in one step, at most three.
	Payments []Service
	// Templates are the first templates.
	Templates []Template
	// Held is the notice of a hold on payments; empty: there is none.
	Held string
}

// OperationPage is `/history/ID` of an operation that has no receipt: a top-up or a
// correction.
type OperationPage struct {
	layout.Frame
	Operation Operation
}

// Category is a group of services.
type Category struct {
	// Code selects the icon ("other", "internet", …); unknown codes get a general icon.
	Code, Name, Href string
	// Examples are names of some of its services, in one line.
	Examples string
}

// Service is a service that can be paid.
type Service struct {
	Code, Name, Href string
	// Category is the name of its category, shown in search results.
	Category string
	// Detail, if set, is shown in place of Category: the account that was paid last.
	Detail string
	// Sum is the amount that was paid last; 0: not shown.
	Sum money.Amount
}

// ServicesPage is `/services?q=`.
type ServicesPage struct {
	layout.Frame
	// Query is the search as typed; empty: the categories are shown.
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

// FeeRule is the fee of a service: BasisPoints (hundredths of a percent) of the amount
// plus Fixed, at least Minimum and at most Maximum; 0: no limit. It has the fields of
// catalog.Fee, so that FeeRule(service.Fee) converts one.
type FeeRule struct {
	BasisPoints             int64
	Fixed, Minimum, Maximum money.Amount
}

// PayPage is `/pay/CODE`. Posts account and amount.
type PayPage struct {
	layout.Frame
	// Code is the service's code, part of the form's address.
	Code, Service string
	// CategoryName and CategoryHref are for the link back.
	CategoryName, CategoryHref string
	// AccountLabel and AccountHint are the catalog's texts in the page's language.
	AccountLabel, AccountHint string
	// INN reports that the account is an ИНН: 14 digits, with a hint where to find it.
	INN             bool
	Account, Amount component.Input
	Balance         money.Amount
	// Minimum and Maximum are the service's limits; 0: none.
	Minimum, Maximum money.Amount
	// Fee is the service's fee; zero: none.
	Fee FeeRule
	// Held is as in CabinetPage.
	Held string
	// FillHref is the page about filling the wallet, which leads back here.
	FillHref string
}

// CheckState is whether a draft can be paid, and the reason if not.
type CheckState string

// The states of the check page.
const (
	// Ready drafts can be paid.
	Ready CheckState = "ready"
	// Short means that the balance is too low. The draft stays valid until it expires.
	Short CheckState = "short"
	// FeeChanged means that the fee changed after the draft was shown. The page shows
	// a new draft with the new fee, which the customer has to accept.
	FeeChanged CheckState = "fee"
	// Paid means that the draft was paid before.
	Paid CheckState = "paid"
	// Expired drafts can't be paid; the form can be filled with their values.
	Expired CheckState = "expired"
)

// CheckPage is `/check/DRAFT`, which asks to confirm a payment. Posts pin if AskPIN is
// set, else nothing but the CSRF token of all forms.
type CheckPage struct {
	layout.Frame
	State CheckState
	// Draft is the draft's id, part of the form's address.
	Draft   string
	Service string
	// AccountLabel and Account are "ИНН" and its digits in groups of four.
	AccountLabel, Account string
	// PayeeLabel and Payee are "Компания" and the account holder's name that the
	// biller returned; empty: it returned none.
	PayeeLabel, Payee string
	// Suspect reports that the ИНН looks mistyped (inn.INN.Suspect); it can be paid.
	Suspect            bool
	Amount, Fee, Total money.Amount
	// OldFee is the fee that was shown before, with FeeChanged.
	OldFee money.Amount
	Wallet string
	// Balance is the current balance; After is the balance after the payment, shown
	// with Ready and FeeChanged only.
	Balance, After money.Amount
	// BackHref is the address of the form filled with the draft's values.
	BackHref string
	// ReceiptHref is set with Paid.
	ReceiptHref string
	// AskPIN reports that this payment requires the PIN: the first one after the
	// password was set by SMS does (customer.Customer.PINOwed).
	AskPIN bool
	PIN    component.Input
	// Held is as in CabinetPage.
	Held string
}

// FillPage is `/fill`, which shows how to fill the wallet.
type FillPage struct {
	layout.Frame
	// Wallet is the customer's number; empty for a visitor. Digits is the number without
	// spaces, and Code has it.
	Wallet, Digits string
	Code           qr.Code
	// BackHref is the check page of the draft to continue with; empty: none.
	BackHref string
	// Missing is by how much the balance is too low for the draft; 0: it suffices.
	Missing money.Amount
	// Transfer reports that the draft is a transfer, not a payment.
	Transfer bool
}

// HelpPage is `/help`.
type HelpPage struct{ layout.Frame }

// Session is one browser in which the customer is signed in.
type Session struct {
	ID string
	// Device is the browser and system, from its User-Agent.
	Device string
	// Network is the network that the login came from, such as "203.0.113.x"; empty:
	// unknown.
	Network        string
	LoggedIn, Seen time.Time
	// Current reports that it is the browser of this request.
	Current bool
}

// SettingsPage is `/settings`. Its forms post old_password and password to
// `/settings/password`; session (an ID, or "others") to `/settings/sessions/end`; lang
// and next to `/language`; endpoint, p256dh and auth of a push subscription to
// `/settings/notices`, filled in by the script; notice (an ID) to
// `/settings/notices/end`.
type SettingsPage struct {
	layout.Frame
	Wallet, Email string
	// EmailConfirmed reports that the address was confirmed, Mails that e-mails can be sent.
	EmailConfirmed, Mails bool
	OldPassword, Password component.Input
	// EndPassword proves the customer before other sessions are ended.
	EndPassword component.Input
	Sessions    []Session
	// HasPIN reports whether the wallet has a PIN.
	HasPIN bool
	// NoticesKey is the public key of push notifications; empty: they are off.
	NoticesKey string
	Notices    []NoticeDevice
}

// NoticeDevice is one browser with push notifications.
type NoticeDevice struct {
	ID, Device string
	Since      time.Time
}

// ErrorPage is shown in place of a page after an error.
type ErrorPage struct {
	layout.Frame
	// Status is 403, 404, 422, 429, 500 or 503; others are shown as 500.
	Status int
	// Stale reports that the form's token is not of this session (403), as after the
	// session's end; see session.StaleForm.
	Stale bool
	// RetryAfter is the time to wait before another try (429, 503); 0: unknown.
	RetryAfter time.Duration
	// Message, if set, replaces the general text of the status.
	Message string
	// BackHref is the page with the form; empty: the cabinet or the first page.
	BackHref string
}
