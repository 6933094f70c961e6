package ussd

import "elsom/internal/money"

// State is the state of a session. It never holds a PIN. The JSON names are stored
// and must stay readable by the release before and after.
type State struct {
	Step Step   `json:"step"`
	Lang string `json:"lang,omitempty"`
	// Customer is the customer's id; 0 before the registration.
	Customer int64 `json:"customer,omitempty"`
	// Resend reports that the customer's first PIN is unused and may be sent again.
	Resend bool `json:"resend,omitempty"`
	// Page is the shown page of a list, from 0.
	Page int `json:"page,omitempty"`
	// Message is shown above the screen, or alone when the session is over.
	Message Message `json:"word,omitzero"`

	// Name and INN are the data of a registration.
	Name string `json:"name,omitempty"`
	INN  string `json:"inn,omitempty"`
	// Offer is the edition of the public offer that was shown.
	Offer string `json:"offer,omitempty"`

	// Category, Service and Account are what is being paid.
	Category string `json:"category,omitempty"`
	Service  string `json:"service,omitempty"`
	Account  string `json:"account,omitempty"`
	// Receiver is the receiver's number of a transfer, as typed.
	Receiver string `json:"receiver,omitempty"`
	// Check is what the check screen shows.
	Check Check `json:"check,omitzero"`

	// Proof shows that the old PIN was entered; NewPINHash is a keyed hash of the
	// new one.
	Proof      string `json:"proof,omitempty"`
	NewPINHash string `json:"mark,omitempty"`

	Operations []Operation `json:"operations,omitempty"`
}

// Message is a message key with its arguments.
type Message struct {
	Key  string            `json:"key,omitempty"`
	Args map[string]string `json:"args,omitempty"`
}

// Check is a draft as the check screen shows it.
type Check struct {
	Draft int64 `json:"draft"`
	// Account is the account that is paid: an ИНН if INN is set.
	Account string `json:"account,omitempty"`
	INN     bool   `json:"inn,omitempty"`
	// Phone is the receiver's number of a transfer.
	Phone  string       `json:"phone,omitempty"`
	Name   string       `json:"name,omitempty"`
	Amount money.Amount `json:"amount"`
	Fee    money.Amount `json:"fee,omitempty"`
}

// Operation is a line of the last operations.
type Operation struct {
	Day    string       `json:"day"` // 22.11
	Amount money.Amount `json:"amount"`
	// What is a name, or a message key if Key is set.
	What string `json:"what"`
	Key  bool   `json:"key,omitempty"`
}

// Item is a line of a list. Its number is the same on every page.
type Item struct {
	Number int
	Code   string
	Name   string
}
