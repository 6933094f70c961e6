// Package devpage renders the pages of development mode: a handset that receives
// messages and dials *900#, and a cash-in terminal. Production has no such pages.
//
// The pages work without scripts and contain no decisions.
package devpage

import (
	"time"

	"elsom/internal/money"
	"elsom/templates/component"
	"elsom/templates/layout"
)

// Message is an SMS on the handset.
type Message struct {
	Text string
	At   time.Time
}

// Email is an e-mail, shown beside the handset.
type Email struct {
	To, Subject, Text string
	At                time.Time
}

// PhonePage is `/dev/phone?phone=`: a handset.
type PhonePage struct {
	layout.Frame
	// Phone is the input that selects a number.
	Phone component.Input
	// Number is the selected number in readable form; empty: none.
	Number string
	// Carrier is the operator by the number's prefix; empty: unknown.
	Carrier string
	// Messages and Emails are newest first.
	Messages []Message
	Emails   []Email
	// Said is the screen of a USSD session; empty: there is none. Over reports that it
	// is the session's last one.
	Said string
	Over bool
	// Session is the id of the USSD session, Text all its inputs, Typed the input that
	// was not sent yet.
	Session, Text, Typed string
}

// Talking reports whether the screen waits for an input.
func (p PhonePage) Talking() bool { return p.Said != "" && !p.Over }

// keys are the keys of a phone by rows.
var keys = []struct{ Sign, Letters string }{
	{"1", ""}, {"2", "abc"}, {"3", "def"}, {"4", "ghi"}, {"5", "jkl"}, {"6", "mno"},
	{"7", "pqrs"}, {"8", "tuv"}, {"9", "wxyz"}, {"*", ""}, {"0", "+"}, {"#", ""},
}

// Agent is the agent of a terminal.
type Agent struct{ Code, Name string }

// TerminalPage is `/dev/terminal`, which asks for agent, number and amount. Its form
// is a GET of the same address, which sends a check to /osmp.
type TerminalPage struct {
	layout.Frame
	Agents []Agent
	// Agent is the code of the selected agent.
	Agent         string
	Phone, Amount component.Input
}

// CashPage is the terminal's second screen, after a wallet was found. Posts its
// values to `/dev/terminal`.
type CashPage struct {
	layout.Frame
	Agent Agent
	// Phone is the number as typed, Wallet in readable form.
	Phone, Wallet string
	Sum           money.Amount
	// TxnID and TxnDate are made once by the terminal and sent with each attempt.
	TxnID, TxnDate string
	BackHref       string
}

// SlipPage is `/dev/terminal/slip`, the printed slip.
type SlipPage struct {
	layout.Frame
	Agent          Agent
	Phone, Wallet  string
	Sum            money.Amount
	TxnID, TxnDate string
	// Result is the OSMP result code, 0 for success; Reference is our number of the
	// cash-in, empty if there is none.
	Result    int
	Reference string
	// Status is the HTTP status if it was not 200; Result is not valid then.
	Status int
}

// Fail implements page.Form.
func (p *TerminalPage) Fail(field, message string) {
	switch field {
	case "phone":
		p.Phone.Error = message
	case "amount":
		p.Amount.Error = message
	default:
		p.Problem = message
	}
}
