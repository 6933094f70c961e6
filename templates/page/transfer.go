package page

import (
	"time"

	"elsom/internal/money"
	"elsom/templates/component"
	"elsom/templates/layout"
)

// TransferPage is `/transfer`, the transfer form. Posts phone and amount.
type TransferPage struct {
	layout.Frame
	Phone, Amount component.Input
	Balance       money.Amount
	// Held is the text of a hold on payments; empty: there is none.
	Held string
	// FillHref is as in PayPage.
	FillHref string
}

// TransferCheckPage is `/transfer/DRAFT`. Posts the token and, with AskPIN, pin.
type TransferCheckPage struct {
	layout.Frame
	// State is Ready, Short, Paid (sent before) or Expired.
	State CheckState
	// Draft is the draft's id, part of the form's address.
	Draft string
	// Receiver is the receiver's masked name; empty: unknown.
	Receiver string
	// Phone and Wallet are the receiving and the sending number in readable form.
	Phone, Wallet string
	Amount, Fee   money.Amount
	// Balance is the current balance.
	Balance money.Amount
	// AskPIN reports that the site requires the PIN once.
	AskPIN bool
	PIN    component.Input
	// BackHref is the form filled with the draft's values.
	BackHref string
	// ReceiptHref is set with Paid.
	ReceiptHref string
	// Held is the text of a hold on payments; empty: there is none.
	Held string
}

// TransferReceiptPage is `/transfer/done/ID`, for sender and receiver.
type TransferReceiptPage struct {
	layout.Frame
	// Incoming reports that the customer is the receiver.
	Incoming bool
	// Number is the transfer's number.
	Number string
	// Name and Phone are those of the other side; an empty name is unknown.
	Name, Phone string
	// Wallet is the customer's number.
	Wallet  string
	Amount  money.Amount
	At      time.Time
	Balance money.Amount
	// RepeatHref is the form filled with the same number.
	RepeatHref string
}

// Fail implements Form.
func (p *TransferPage) Fail(field, message string) {
	fail(&p.Frame, message, field, map[string]*component.Input{"phone": &p.Phone, "amount": &p.Amount})
}

// Fail implements Form.
func (p *TransferCheckPage) Fail(field, message string) {
	inputs := map[string]*component.Input{}
	if p.AskPIN {
		inputs["pin"] = &p.PIN
	}
	fail(&p.Frame, message, field, inputs)
}

func (p TransferCheckPage) total() money.Amount { return p.Amount + p.Fee }

// figure is the largest figure of the page: the total, or the missing amount.
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

// side returns the message key of the customer's side of the transfer.
func (p TransferReceiptPage) side() string {
	if p.Incoming {
		return string(Received)
	}
	return string(Sent)
}

// key returns the key of a message that differs between the sides.
func (p TransferReceiptPage) key(name string) string {
	return "portal.transfer." + p.side() + "." + name
}

// waits returns the key of a message about the draft to continue with.
func (p FillPage) waits(name string) string {
	if p.Transfer {
		return "portal.transfer.fill." + name
	}
	return "portal.fill." + name
}
