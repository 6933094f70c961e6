package customer

import (
	"context"

	"elsom/internal/database"
	"elsom/internal/fault"
)

// UnknownBrowser is the reason of a refusal of SetPIN in a browser that is not known:
// ConfirmBrowser first. Otherwise the password alone would be enough to choose the PIN
// that confirms payments.
const UnknownBrowser fault.Reason = "customer.unknown_browser"

// browserOperation makes a browser known.
func browserOperation() Operation { return Operation{Key: "browser", Text: "sms.browser_code"} }

// StartBrowser sends the SMS code for ConfirmBrowser; see StartOperation.
func (cs *Customers) StartBrowser(ctx context.Context, c Customer, from Origin) error {
	return cs.startOperation(ctx, c, browserOperation(), from)
}

// ResendBrowser sends another code; see ResendOperation.
func (cs *Customers) ResendBrowser(ctx context.Context, c Customer, from Origin) error {
	return cs.ResendOperation(ctx, c, browserOperation(), from)
}

// AwaitsBrowser reports whether the session awaits the code for ConfirmBrowser.
func (cs *Customers) AwaitsBrowser(ctx context.Context, c Customer) (bool, error) {
	return cs.AwaitsCode(ctx, c.Browser.Session, browserOperation().Key)
}

// ConfirmBrowser makes the browser of a wallet without a PIN known after the SMS code.
//
// Errors: those of ConfirmOperation; Conflict "customer.pin_there" if the wallet has a
// PIN: an SMS code doesn't stand in for it.
func (cs *Customers) ConfirmBrowser(ctx context.Context, c Customer, code string, from Origin) error {
	if c.HasPIN {
		return fault.New(fault.Conflict, "customer.browser", "customer.pin_there")
	}
	return cs.ConfirmOperation(ctx, c, browserOperation(), Proof{Code: code}, from, func(*database.Tx) error { return nil })
}
