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

// Done takes an act's outcome. What a person can mend leads to the place where
// it was typed; everything else ends the dialogue with words.
func (s State) Done(act Act, r Result) State {
	if r.Err != nil {
		return s.failed(act, r.Err)
	}
	switch act {
	case actCheckName:
		s.Name = r.Name
		return s.to(stepINN)
	case actRegister:
		return s.over(word("ussd.end.registered"))
	case actQuote:
		s.Check = r.Check
		return s.to(stepCheck)
	case actPay:
		return s.over(word("ussd.end.paid", "Code", inn.Group(r.Code)))
	case actQuoteTransfer:
		s.Check = r.Check
		return s.to(stepTransfer)
	case actTransfer:
		return s.over(word("ussd.end.transferred", "Amount", s.Check.Amount.Group(), "Phone", s.Check.Phone))
	case actBalance:
		return s.over(word("ussd.end.balance", "Balance", r.Balance.Group()))
	case actTongue:
		return s.to(stepMain).say(word("ussd.word.language"))
	case actProvePIN:
		s.Proof = r.Proof
		return s.to(stepNewPIN)
	case actJudgePIN:
		s.Mark = r.Mark
		return s.to(stepAgainPIN)
	case actChangePIN:
		return s.over(word("ussd.end.pin_changed"))
	case actOperations:
		s.Operations = r.Operations
		return s.to(stepOperations)
	case actResendPIN:
		return s.over(word("ussd.end.pin_resent"))
	}
	return s.over(word("ussd.end.trouble"))
}

// places is where what a fault speaks of was typed, by act and field.
var places = map[Act]map[string]Step{
	actCheckName:     {"name": stepName},
	actRegister:      {"name": stepName, "inn": stepINN},
	actQuote:         {"account": stepAccount, "amount": stepAmount},
	actPay:           {"pin": stepCheck},
	actQuoteTransfer: {"phone": stepReceiver, "amount": stepTransferAmount},
	actTransfer:      {"pin": stepTransfer},
	actBalance:       {"pin": stepBalance}, actOperations: {"pin": stepLookPIN},
	actProvePIN: {"pin": stepOldPIN, "old_pin": stepOldPIN}, actJudgePIN: {"pin": stepNewPIN}, actChangePIN: {"pin": stepNewPIN},
}

func (s State) failed(act Act, err error) State {
	f := fault.As(err)
	if place, typed := places[act][f.Field]; typed && mendable[f.Kind] {
		return s.to(place).say(wordOf(f))
	}
	if f.Kind == fault.Unavailable && act != actRegister {
		return s.say(word("ussd.word.busy"))
	}
	return s.over(endOf(act, f))
}

// spends are the acts about money: the others' ends don't speak of it.
var spends = map[Act]bool{actQuote: true, actPay: true, actQuoteTransfer: true, actTransfer: true}

// mendable are the kinds after which something else can be typed.
var mendable = map[fault.Kind]bool{
	fault.Invalid: true, fault.Limit: true, fault.Forbidden: true,
}

// wordOf is what a person reads above the screen on which to type again.
func wordOf(err error) Word {
	f := fault.As(err)
	if key, known := mends[f.Reason]; known {
		return worded(key, f)
	}
	switch f.Field {
	case "account":
		return word("ussd.word.account")
	case "amount":
		return word("ussd.word.amount")
	case "phone":
		return word("ussd.word.phone")
	}
	return word("ussd.word.choice")
}

// endOf is what a person reads at the end of a dialogue that failed: of a
// message that is known, otherwise of the kind.
func endOf(act Act, f *fault.Error) Word {
	if key, known := ends[f.Reason]; known {
		return worded(key, f)
	}
	if changed := f.Kind == fault.NotFound || f.Kind == fault.Conflict; changed && !spends[act] {
		return word("ussd.end.changed_elsewhere")
	}
	return word(endings[f.Kind])
}

func worded(key string, f *fault.Error) Word {
	w := Word{Key: key}
	for name, value := range f.Args {
		if w.Args == nil {
			w.Args = map[string]string{}
		}
		w.Args[name] = fmt.Sprint(value)
	}
	return w
}

// endings is the door's one table from kinds of faults to sentences.
var endings = map[fault.Kind]string{
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
var mends = map[fault.Reason]string{
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

var ends = map[fault.Reason]string{
	"customer.closed":  "ussd.end.closed",
	"customer.blocked": "ussd.end.blocked", "payment.blocked": "ussd.end.blocked",
	"wallet.receiver_closed":  "ussd.end.receiver_refuses",
	"wallet.receiver_blocked": "ussd.end.receiver_refuses", "wallet.receiver_full": "ussd.end.receiver_refuses",
	"customer.pin_locked": "ussd.end.pin_locked", "customer.pin_change_first": "ussd.end.pin_change_first",
	"customer.pin_used": "ussd.end.pin_used", "customer.no_pin": "ussd.end.no_pin",
	"customer.hold": "ussd.end.hold", "customer.offer_changed": "ussd.end.offer_changed", "customer.registered": "ussd.end.registered_elsewhere",
}
