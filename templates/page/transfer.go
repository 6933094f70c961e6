package page

import (
	"time"

	"elsom/internal/money"
	"elsom/templates/component"
	"elsom/templates/layout"
)

// TransferPage is `/transfer`: to whom and how much. Posts phone and amount.
type TransferPage struct {
	layout.Frame
	Phone, Amount component.Input
	Balance       money.Amount
	// Held says until when nothing can be sent, since the password was set by
	// SMS; empty: it can.
	Held string
}

// TransferCheckPage is `/transfer/DRAFT`. Posts pin where it is asked for.
type TransferCheckPage struct {
	layout.Frame
	// State is Ready, Short, Paid (sent before) or Expired.
	State CheckState
	// Draft is the draft's id, for the address to post to.
	Draft string
	// Receiver is the receiver's masked name; empty: it isn't known.
	Receiver string
	// Phone and Wallet are the numbers that get and send, as people read them.
	Phone, Wallet string
	Amount, Fee   money.Amount
	// Balance is today's.
	Balance money.Amount
	// AskPIN: the PIN is wanted once before the site sends money out.
	AskPIN bool
	PIN    component.Input
	// BackHref leads to the form with what was typed.
	BackHref string
	// ReceiptHref is set with Paid.
	ReceiptHref string
	// Held says until when nothing can be sent, since the password was set by
	// SMS; empty: it can.
	Held string
}

// TransferReceiptPage is `/transfer/done/ID`, for either side.
type TransferReceiptPage struct {
	layout.Frame
	// Incoming: this person got the money; otherwise sent it.
	Incoming bool
	// Number is the transfer's.
	Number string
	// Name and Phone are of the other side; an empty name isn't known.
	Name, Phone string
	// Wallet is this person's number.
	Wallet  string
	Amount  money.Amount
	At      time.Time
	Balance money.Amount
	// RepeatHref leads to a form filled for the same number.
	RepeatHref string
}

// Fail implements Form.
func (p *TransferPage) Fail(field, words string) {
	fail(&p.Frame, words, field, map[string]*component.Input{"phone": &p.Phone, "amount": &p.Amount})
}

// Fail implements Form.
func (p *TransferCheckPage) Fail(field, words string) {
	inputs := map[string]*component.Input{}
	if p.AskPIN {
		inputs["pin"] = &p.PIN
	}
	fail(&p.Frame, words, field, inputs)
}

func (p TransferCheckPage) total() money.Amount { return p.Amount + p.Fee }

// figure is the page's largest: what is to be sent, or what is missing for it.
func (p TransferCheckPage) figure() money.Amount {
	if p.State == Short {
		return p.total() - p.Balance
	}
	return p.total()
}

func (p TransferCheckPage) title() string {
	if p.State == Paid {
		return p.T("portal.transfer.title_paid")
	}
	return p.T("portal.check.title_" + string(p.State))
}

// side is this person's in the transfer.
func (p TransferReceiptPage) side() string {
	if p.Incoming {
		return string(Got)
	}
	return string(Sent)
}

// key is that of a text that differs between the sides.
func (p TransferReceiptPage) key(name string) string {
	return "portal.transfer." + p.side() + "." + name
}

// waits begins the keys of the words about what waits for the money.
func (p FillPage) waits(name string) string {
	if p.Transfer {
		return "portal.transfer.fill." + name
	}
	return "portal.fill." + name
}
