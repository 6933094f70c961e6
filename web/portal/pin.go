package portal

import (
	"context"
	"errors"
	"net/http"

	"github.com/labstack/echo/v4"

	"elsom/internal/customer"
	"elsom/internal/fault"
	"elsom/templates/page"
	"elsom/web/session"
)

// ShowPIN shows the form that sets or changes the PIN. If the PIN is locked, the page
// posts to Unlock instead.
func (p *Portal) ShowPIN(c echo.Context) error {
	view, err := p.pinPage(c)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, view)
}

// PIN sets the first PIN, confirmed by the password, or changes the PIN, confirmed
// by the old one.
func (p *Portal) PIN(c echo.Context) error {
	// After a refusal pinPage reads the PIN's state from the database: the attempt may
	// have locked the PIN, or another page may have set one.
	return p.submit(c, func() (form, error) { return p.pinPage(c) }, func() (string, error) {
		err := p.savePIN(c)
		if errors.Is(err, customer.UnknownBrowser) {
			return browserPath, p.services.Customers.StartBrowser(committed(c), holder(c), origin(c))
		}
		if err != nil {
			return "", err
		}
		//mutant:drop ./web TestFurtherProofsRenewTheSession
		if err := session.Of(c).Renew(committed(c)); err != nil {
			return "", err
		}
		session.Of(c).Flash(lang(c).T("flash.pin_changed"))
		return "/settings", nil
	})
}

// savePIN sets or changes the PIN. HasPIN is as of the start of the request; if a PIN
// was set meanwhile, SetPIN refuses.
func (p *Portal) savePIN(c echo.Context) error {
	owner, pin := holder(c), c.FormValue("pin")
	if owner.HasPIN {
		return p.services.Customers.ChangePIN(committed(c), owner.ID, c.FormValue("old_pin"), pin)
	}
	return p.services.Customers.SetPIN(committed(c), owner, c.FormValue("password"), pin)
}

func (p *Portal) pinPage(c echo.Context) (*page.PINPage, error) {
	owner := holder(c)
	pin, err := p.services.Customers.PIN(ctx(c), owner.ID)
	if err != nil {
		return nil, err
	}
	view := &page.PINPage{Frame: p.frame(c), Wallet: owner.Phone.Pretty(), State: pinState(pin), Until: pin.LockedUntil}
	if view.State == page.IssuedPIN {
		view.Until = pin.ExpiresAt
	}
	return view, nil
}

func pinState(pin customer.PINState) page.PINState {
	switch {
	case !pin.Set:
		return page.NoPIN
	case pin.Expired:
		return page.ExpiredPIN
	case !pin.LockedUntil.IsZero() && pin.StaffOnly:
		return page.ClosedPIN
	case !pin.LockedUntil.IsZero():
		return page.LockedPIN
	case pin.Used:
		return page.UsedPIN
	case pin.Issued:
		return page.IssuedPIN
	}
	return page.OwnPIN
}

// withPIN runs an operation that takes money out of the wallet, with the PIN of the
// form if one is owed: after the password was set by an SMS code alone
// (customer.Customer.PINOwed), the first operation on the site needs the PIN.
//
// The operation runs first: if the draft is already paid, expired or refused because
// of a hold, the PIN isn't needed and no attempt is counted. If the operation is
// refused with customer.PINOwed, withPIN confirms it with the PIN and runs it once
// more.
//
// ctx is the operation's context, not the request's. now reports that the operation took
// money out of the wallet in this request. Anything else is answered with the session as it
// is stored: withPIN then returns an error of session.Reread.
func (p *Portal) withPIN(ctx context.Context, c echo.Context, confirm func(customer.Customer, customer.Proof) error,
	operation func(customer.Customer) (now bool, err error),
) error {
	//mutant:drop TestUnknownOutcomeOfARememberedSession
	if err := unknownOutcome(c); err != nil {
		return err
	}
	owner := holder(c)
	now, err := operation(owner)
	if again := unproven(c, now, err); again != nil {
		return again
	}
	if !errors.Is(err, customer.PINOwed) {
		return err
	}
	if err := confirm(owner, customer.Proof{PIN: c.FormValue("pin")}); err != nil {
		return err
	}
	if err := session.Of(c).Confirmed(ctx); err != nil {
		return err
	}
	owner = holder(c)
	owner.PINOwed = false // cleared in the database
	_, err = operation(owner)
	return err
}

// unknownOutcome returns the error of an operation whose outcome this request doesn't know,
// although its session was read again since. It isn't run again: that could take as long
// once more.
func unknownOutcome(c echo.Context) error {
	if err := session.Of(c).Outcome(); fault.Is(err, fault.Unknown) {
		return err
	}
	return nil
}

// unproven returns an error of session.Reread after an operation that proves nothing about
// a remembered session, or that found the session of the request ended.
func unproven(c echo.Context, now bool, err error) error {
	s := session.Of(c)
	//mutant:replace now || => ./web TestStatementsOfAPayment
	if now || !s.Remembered() && !errors.Is(err, customer.SessionEnded) {
		return nil
	}
	return s.Reread(err)
}
