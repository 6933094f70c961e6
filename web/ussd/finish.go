package ussd

import (
	"fmt"

	"elsom/internal/fault"
	"elsom/internal/inn"
	"elsom/internal/money"
)

// Result is what the house says of an act.
type Result struct {
	Err  error
	Name string
	// Check of a quote.
	Check Check
	// Code is the payment code of what was paid.
	Code    string
	Balance money.Amount
	// Proof of the old PIN, Mark of the new one.
	Proof, Mark string
	Operations  []Operation
}

// Finish takes an act's outcome. What a person can mend leads to the place where
// it was typed; everything else ends the dialogue with words.
func (s State) Finish(act Op, r Result) State {
	if r.Err != nil {
		return s.failed(act, r.Err)
	}
	switch act {
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
		s.Mark = r.Mark
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

// places is where what a fault speaks of was typed, by act and field.
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

func (s State) failed(act Op, err error) State {
	f := fault.As(err)
	if place, typed := retrySteps[act][f.Field]; typed && retryable[f.Kind] {
		return s.to(place).with(retryMessage(f))
	}
	if f.Kind == fault.Unavailable && act != opRegister {
		return s.with(message("ussd.word.busy"))
	}
	return s.end(endMessage(act, f))
}

// spends are the acts about money: the others' ends don't speak of it.
var movesMoney = map[Op]bool{opQuote: true, opPay: true, opQuoteTransfer: true, opTransfer: true}

// mendable are the kinds after which something else can be typed.
var retryable = map[fault.Kind]bool{
	fault.Invalid: true, fault.Limit: true, fault.Forbidden: true,
}

// retryMessage is what a person reads above the screen on which to type again.
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

// endMessage is what a person reads at the end of a dialogue that failed: of a
// message that is known, otherwise of the kind.
func endMessage(act Op, f *fault.Error) Message {
	if key, known := endMessages[f.Reason]; known {
		return messageOf(key, f)
	}
	if changed := f.Kind == fault.NotFound || f.Kind == fault.Conflict; changed && !movesMoney[act] {
		return message("ussd.end.changed_elsewhere")
	}
	return message(kindMessages[f.Kind])
}

func messageOf(key string, f *fault.Error) Message {
	w := Message{Key: key}
	for name, value := range f.Args {
		if w.Args == nil {
			w.Args = map[string]string{}
		}
		w.Args[name] = fmt.Sprint(value)
	}
	return w
}

// endings is the door's one table from kinds of faults to sentences.
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

// mends are the words for what can be typed again; messages of sums never tell
// a balance, which takes a PIN: where money is short is told behind it.
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

var endMessages = map[fault.Reason]string{
	"customer.closed":  "ussd.end.closed",
	"customer.blocked": "ussd.end.blocked", "payment.blocked": "ussd.end.blocked",
	"wallet.receiver_closed":  "ussd.end.receiver_refuses",
	"wallet.receiver_blocked": "ussd.end.receiver_refuses", "wallet.receiver_full": "ussd.end.receiver_refuses",
	"customer.pin_locked": "ussd.end.pin_locked", "customer.pin_change_first": "ussd.end.pin_change_first",
	"customer.pin_used": "ussd.end.pin_used", "customer.no_pin": "ussd.end.no_pin",
	"customer.hold": "ussd.end.hold", "customer.offer_changed": "ussd.end.offer_changed", "customer.registered": "ussd.end.registered_elsewhere",
}
