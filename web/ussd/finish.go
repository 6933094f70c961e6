package ussd

import (
	"fmt"

	"elsom/internal/fault"
	"elsom/internal/inn"
	"elsom/internal/money"
)

// Result is the outcome of an operation.
type Result struct {
	Err  error
	Name string
	// Check is the result of a quote.
	Check Check
	// Code is the payment's code.
	Code    string
	Balance money.Amount
	// Proof shows that the old PIN was entered; NewPINHash is a keyed hash of the
	// new one.
	Proof, NewPINHash string
	Operations        []Operation
}

// Finish applies an operation's outcome. An error that the caller can correct
// returns to the step where the value was typed; any other ends the session.
func (s State) Finish(op Op, r Result) State {
	if r.Err != nil {
		return s.failed(op, r.Err)
	}
	switch op {
	case opCheckName:
		s.Name = r.Name
		return s.to(stepINN)
	case opRegister:
		return s.end(message("ussd.end.registered"))
	case opQuote:
		s.Check = r.Check
		return s.to(stepCheck)
	case opPay:
		return s.end(message("ussd.end.paid", "Code", inn.Group(r.Code)))
	case opQuoteTransfer:
		s.Check = r.Check
		return s.to(stepTransfer)
	case opTransfer:
		return s.end(message("ussd.end.transferred", "Amount", s.Check.Amount.Group(), "Phone", s.Check.Phone))
	case opBalance:
		return s.end(message("ussd.end.balance", "Balance", r.Balance.Group()))
	case opSetLanguage:
		return s.to(stepMain).with(message("ussd.word.language"))
	case opProvePIN:
		s.Proof = r.Proof
		return s.to(stepNewPIN)
	case opCheckNewPIN:
		s.NewPINHash = r.NewPINHash
		return s.to(stepRepeatPIN)
	case opChangePIN:
		return s.end(message("ussd.end.pin_changed"))
	case opListOperations:
		s.Operations = r.Operations
		return s.to(stepOperations)
	case opResendPIN:
		return s.end(message("ussd.end.pin_resent"))
	}
	return s.end(message("ussd.end.trouble"))
}

// retrySteps are the steps where a field was typed, by operation.
var retrySteps = map[Op]map[string]Step{
	opCheckName:     {"name": stepName},
	opRegister:      {"name": stepName, "inn": stepINN},
	opQuote:         {"account": stepAccount, "amount": stepAmount},
	opPay:           {"pin": stepCheck},
	opQuoteTransfer: {"phone": stepReceiver, "amount": stepTransferAmount},
	opTransfer:      {"pin": stepTransfer},
	opBalance:       {"pin": stepBalance}, opListOperations: {"pin": stepOperationsPIN},
	opProvePIN: {"pin": stepOldPIN, "old_pin": stepOldPIN}, opCheckNewPIN: {"pin": stepNewPIN}, opChangePIN: {"pin": stepNewPIN},
}

func (s State) failed(op Op, err error) State {
	f := fault.As(err)
	if place, typed := retrySteps[op][f.Field]; typed && retryable[f.Kind] {
		return s.to(place).with(retryMessage(f))
	}
	if f.Kind == fault.Unavailable && op != opRegister {
		return s.with(message("ussd.word.busy"))
	}
	return s.end(endMessage(op, f))
}

// movesMoney are the operations whose last screens may mention money.
var movesMoney = map[Op]bool{opQuote: true, opPay: true, opQuoteTransfer: true, opTransfer: true}

// retryable are the kinds after which another value can be typed.
var retryable = map[fault.Kind]bool{
	fault.Invalid: true, fault.Limit: true, fault.Forbidden: true,
}

// retryMessage returns the message above the screen on which to type again.
func retryMessage(err error) Message {
	f := fault.As(err)
	if key, known := retryMessages[f.Reason]; known {
		return messageOf(key, f)
	}
	switch f.Field {
	case "account":
		return message("ussd.word.account")
	case "amount":
		return message("ussd.word.amount")
	case "phone":
		return message("ussd.word.phone")
	}
	return message("ussd.word.choice")
}

// endMessage returns the message of the last screen: by the error's reason where
// it has one in the table, otherwise by its kind.
func endMessage(op Op, f *fault.Error) Message {
	if key, known := endMessages[f.Reason]; known {
		return messageOf(key, f)
	}
	if changed := f.Kind == fault.NotFound || f.Kind == fault.Conflict; changed && !movesMoney[op] {
		return message("ussd.end.changed_elsewhere")
	}
	return message(kindMessages[f.Kind])
}

func messageOf(key string, f *fault.Error) Message {
	m := Message{Key: key}
	for name, value := range f.Args {
		if m.Args == nil {
			m.Args = map[string]string{}
		}
		m.Args[name] = fmt.Sprint(value)
	}
	return m
}

// kindMessages are the last screens by the kind of the error.
var kindMessages = map[fault.Kind]string{
	fault.Internal:     "ussd.end.trouble",
	fault.Invalid:      "ussd.end.refused",
	fault.NotFound:     "ussd.end.changed",
	fault.Forbidden:    "ussd.end.refused",
	fault.Conflict:     "ussd.end.changed",
	fault.Insufficient: "ussd.end.insufficient",
	fault.Limit:        "ussd.end.limit",
	fault.TooMany:      "ussd.end.too_many",
	fault.Unavailable:  "ussd.end.trouble",
	fault.Unknown:      "ussd.end.unknown",
}

// retryMessages are the messages by the reason of an error that can be corrected.
// They never state a balance, which takes a PIN.
var retryMessages = map[fault.Reason]string{
	"catalog.inn_empty": "ussd.word.inn", "catalog.inn_length": "ussd.word.inn", "catalog.inn_digits": "ussd.word.inn",
	"catalog.below_minimum": "ussd.word.minimum", "catalog.above_maximum": "ussd.word.maximum",
	"wallet.below_minimum":    "ussd.word.minimum",
	"payment.account_unknown": "ussd.word.account_unknown", "payment.account_inactive": "ussd.word.account_unknown",
	"payment.limit_operation": "ussd.word.limit",
	"payment.limit_day":       "ussd.word.limit", "payment.limit_month": "ussd.word.limit",
	"customer.name_malformed": "ussd.word.name",
	"customer.pin_wrong":      "ussd.word.pin_wrong", "customer.pin_malformed": "ussd.word.pin_malformed",
	"customer.pin_weak": "ussd.word.pin_weak", "customer.pin_same": "ussd.word.pin_same",
	"ussd.word.pin_differs":   "ussd.word.pin_differs",
	"wallet.receiver_unknown": "ussd.word.receiver_unknown", "wallet.receiver_self": "ussd.word.receiver_self",
	"wallet.receiver_blocked":  "ussd.word.receiver_refuses",
	"wallet.receiver_closed":   "ussd.word.receiver_refuses",
	"payment.biller_too_small": "ussd.word.too_small", "payment.biller_too_large": "ussd.word.too_large",
}

// endMessages are the last screens by the reason of an error.
var endMessages = map[fault.Reason]string{
	"customer.closed":  "ussd.end.closed",
	"customer.blocked": "ussd.end.blocked", "customer.blocked_out": "ussd.end.blocked", "payment.blocked": "ussd.end.blocked",
	"wallet.receiver_closed":  "ussd.end.receiver_refuses",
	"wallet.receiver_blocked": "ussd.end.receiver_refuses", "wallet.receiver_full": "ussd.end.receiver_refuses",
	"customer.pin_locked": "ussd.end.pin_locked", "customer.pin_change_first": "ussd.end.pin_change_first",
	"customer.pin_used": "ussd.end.pin_used", "customer.pin_expired": "ussd.end.pin_expired", "customer.pin_resend_staff": "ussd.end.pin_resend_staff", "customer.no_pin": "ussd.end.no_pin",
	"customer.hold": "ussd.end.hold", "customer.offer_changed": "ussd.end.offer_changed", "customer.registered": "ussd.end.registered_elsewhere",
}
