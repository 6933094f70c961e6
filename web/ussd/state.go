package ussd

import "elsom/internal/money"

// State is where a dialogue stands: all that the next input has to know, and
// nothing that was a PIN.
type State struct {
	Step Step   `json:"step"`
	Lang string `json:"lang,omitempty"`
	// Customer is the holder's id; 0: none yet.
	Customer int64 `json:"customer,omitempty"`
	// Resend: the holder's first PIN has not been used and may be sent again.
	Resend bool `json:"resend,omitempty"`
	// Page of a list, from 0.
	Page int `json:"page,omitempty"`
	// Word is what stands above the screen, or is all that is left to say.
	Message Message `json:"word,omitzero"`

	// Name and INN of who registers.
	Name string `json:"name,omitempty"`
	INN  string `json:"inn,omitempty"`
	// Offer is the edition of the public offer that they were shown.
	Offer string `json:"offer,omitempty"`

	// What is being paid.
	Category string `json:"category,omitempty"`
	Service  string `json:"service,omitempty"`
	Account  string `json:"account,omitempty"`
	// To whom money is being sent, as typed.
	Receiver string `json:"receiver,omitempty"`
	// Check is what the check screen shows.
	Check Check `json:"check,omitzero"`

	// Proof is of the old PIN, Mark a keyed hash of the new one.
	Proof string `json:"proof,omitempty"`
	Mark  string `json:"mark,omitempty"`

	Operations []Operation `json:"operations,omitempty"`
}

// Message is a message with its arguments.
type Message struct {
	Key  string            `json:"key,omitempty"`
	Args map[string]string `json:"args,omitempty"`
}

// Check is a draft as the check screen shows it.
type Check struct {
	Draft int64 `json:"draft"`
	// Account is what is paid: an ИНН where INN says so, or the biller's number.
	Account string `json:"account,omitempty"`
	INN     bool   `json:"inn,omitempty"`
	// Phone is the receiver's, of a transfer.
	Phone  string       `json:"phone,omitempty"`
	Name   string       `json:"name,omitempty"`
	Amount money.Amount `json:"amount"`
	Fee    money.Amount `json:"fee,omitempty"`
}

// Operation is a line of the last operations.
type Operation struct {
	Day    string       `json:"day"` // 22.11
	Amount money.Amount `json:"amount"`
	// What is a name, or a message key where Key says so.
	What string `json:"what"`
	Key  bool   `json:"key,omitempty"`
}

// Item is a numbered line of a list. Its number is its own on every page.
type Item struct {
	Number int
	Code   string
	Name   string
}
