// Package devpage shows what stands in for the world around the wallet while it
// is being developed: a handset that gets its messages and a terminal that
// takes cash. In production there are no such pages.
//
// Like the portal's, the pages work without scripts and decide nothing.
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

// Letter is an e-mail kept beside the handset.
type Letter struct {
	To, Subject, Text string
	At                time.Time
}

// PhonePage is `/dev/phone?phone=`: a handset.
type PhonePage struct {
	layout.Frame
	// Phone is what was typed to choose a number.
	Phone component.Input
	// Number is the chosen number as people read it; empty: none yet.
	Number string
	// Carrier is whose number it seems to be; empty: not known.
	Carrier string
	// Messages and Letters are newest first.
	Messages []Message
	Letters  []Letter
	// Said is the screen of a dialogue; empty: the phone rests. Over: it is the
	// dialogue's last one.
	Said string
	Over bool
	// Session names the dialogue, Text is all that was sent in it, Typed what
	// stands in the line and was not sent.
	Session, Text, Typed string
}

// Talking tells whether the phone waits for an answer.
func (p PhonePage) Talking() bool { return p.Said != "" && !p.Over }

// keys are those of a phone, row by row.
var keys = []struct{ Sign, Letters string }{
	{"1", ""}, {"2", "abc"}, {"3", "def"}, {"4", "ghi"}, {"5", "jkl"}, {"6", "mno"},
	{"7", "pqrs"}, {"8", "tuv"}, {"9", "wxyz"}, {"*", ""}, {"0", "+"}, {"#", ""},
}

// Agent is whose terminal it is.
type Agent struct{ Code, Name string }

// TerminalPage is `/dev/terminal`: choose an agent, a number, a sum. Gets
// itself with agent, phone and amount, which asks the wallet's door.
type TerminalPage struct {
	layout.Frame
	Agents []Agent
	// Agent is the code of the chosen one.
	Agent         string
	Phone, Amount component.Input
}

// CashPage is the terminal's second screen: the wallet was found. Posts what
// stands on it to `/dev/terminal`.
type CashPage struct {
	layout.Frame
	Agent Agent
	// Phone is the number as it was typed, Wallet as people read it.
	Phone, Wallet string
	Sum           money.Amount
	// TxnID and TxnDate are the terminal's own, drawn once and sent with each try.
	TxnID, TxnDate string
	BackHref       string
}

// SlipPage is `/dev/terminal/slip`: what the terminal prints.
type SlipPage struct {
	layout.Frame
	Agent          Agent
	Phone, Wallet  string
	Sum            money.Amount
	TxnID, TxnDate string
	// Result is OSMP's result code, 0 done; Reference our number of the
	// cash-in, empty where there is none.
	Result    int
	Reference string
	// Status is the answer's HTTP status where it was not 200; Result means
	// nothing then.
	Status int
}

// Fail implements the portal's Form.
func (p *TerminalPage) Fail(field, words string) {
	switch field {
	case "phone":
		p.Phone.Error = words
	case "amount":
		p.Amount.Error = words
	default:
		p.Problem = words
	}
}
