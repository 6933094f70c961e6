package portal

import (
	"context"
	"net/http"

	"github.com/labstack/echo/v4"

	"elsom/internal/customer"
	"elsom/internal/fault"
	"elsom/templates/page"
	"elsom/web/session"
)

// ShowPIN offers to set, change or open the holder's PIN.
func (p *Portal) ShowPIN(c echo.Context) error {
	view, err := p.pinPage(c)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, view)
}

// PIN sets the first PIN for who knows the password, or changes it for who knows the old one.
func (p *Portal) PIN(c echo.Context) error {
	switching := p.switched(c)
	view, err := p.pinPage(c)
	if err != nil {
		return err
	}
	if switching {
		return render(c, http.StatusOK, view)
	}
	id, pin := holder(c).ID, c.FormValue("pin")
	if view.State == page.NoPIN {
		err = p.Customers.SetPIN(committed(c), id, c.FormValue("password"), pin)
	} else {
		err = p.Customers.ChangePIN(committed(c), id, c.FormValue("old_pin"), pin)
	}
	if err != nil {
		return p.pinRefused(c, err)
	}
	session.Of(c).Flash(p.lang(c).T("door.pin_changed"))
	return redirect(c, "/settings")
}

// pinRefused shows how the PIN stands now: the last try may have locked it, or
// another page set it.
func (p *Portal) pinRefused(c echo.Context, err error) error {
	view, readErr := p.pinPage(c)
	if readErr != nil {
		return readErr
	}
	return p.refused(c, view, err)
}

// Unlock sends the SMS code that opens a locked PIN, to who knows the password.
func (p *Portal) Unlock(c echo.Context) error {
	switching := p.switched(c)
	view, err := p.pinPage(c)
	if err != nil {
		return err
	}
	if switching {
		return render(c, http.StatusOK, view)
	}
	if view.State != page.LockedPIN {
		return redirect(c, "/settings/pin")
	}
	s, who := session.Of(c), holder(c)
	if err := p.Customers.StartUnlock(committed(c), s.Key(), who.ID, c.FormValue("password"), s.Lang(), origin(c)); err != nil {
		return p.refused(c, view, err)
	}
	return redirect(c, "/settings/pin/unlock")
}

// ShowUnlock asks the SMS code.
func (p *Portal) ShowUnlock(c echo.Context) error {
	view, err := p.unlockPage(c)
	if view == nil {
		return err
	}
	return render(c, http.StatusOK, view)
}

// UnlockCode gives the tries back for the SMS code.
func (p *Portal) UnlockCode(c echo.Context) error {
	switching := p.switched(c)
	view, err := p.unlockPage(c)
	if view == nil {
		return err
	}
	view.Code = typed(c, "code")
	if switching {
		return render(c, http.StatusOK, view)
	}
	err = p.Customers.ConfirmUnlock(committed(c), session.Of(c).Key(), holder(c).ID, view.Code.Value)
	if fault.Is(err, fault.NotFound) {
		return redirect(c, "/settings/pin") // pressed twice: the other request did it
	}
	if err != nil {
		return p.refused(c, view, err)
	}
	session.Of(c).Flash(p.lang(c).T("door.pin_unlocked"))
	return redirect(c, "/settings")
}

// ResendUnlock sends a new code.
func (p *Portal) ResendUnlock(c echo.Context) error {
	view, err := p.unlockPage(c)
	if view == nil {
		return err
	}
	s := session.Of(c)
	if err := p.Customers.ResendCode(ctx(c), s.Key(), customer.ForUnlock, origin(c)); err != nil {
		return p.refused(c, view, err)
	}
	s.Flash(p.lang(c).T("door.code_sent"))
	return redirect(c, "/settings/pin/unlock")
}

func (p *Portal) pinPage(c echo.Context) (*page.PINPage, error) {
	who := holder(c)
	pin, err := p.Customers.PIN(ctx(c), who.ID)
	if err != nil {
		return nil, err
	}
	view := &page.PINPage{Frame: p.frame(c), Wallet: who.Phone.Pretty(), State: page.OwnPIN, Until: pin.LockedUntil}
	switch {
	case !pin.Set:
		view.State = page.NoPIN
	case !pin.LockedUntil.IsZero() && pin.StaffOnly:
		view.State = page.ClosedPIN
	case !pin.LockedUntil.IsZero():
		view.State = page.LockedPIN
	case pin.Used:
		view.State = page.UsedPIN
	case pin.Issued:
		view.State = page.IssuedPIN
	}
	return view, nil
}

func (p *Portal) unlockPage(c echo.Context) (*page.UnlockPage, error) {
	number, err := p.Customers.Pending(ctx(c), session.Of(c).Key(), customer.ForUnlock)
	if fault.Is(err, fault.NotFound) {
		return nil, redirect(c, "/settings/pin")
	}
	if err != nil {
		return nil, err
	}
	return &page.UnlockPage{Frame: p.frame(c), Wallet: number.Pretty()}, nil
}

// proved does an act that sends money out. Where the site wants the PIN once,
// it tries the one on the form and does the act again; key names what the PIN
// confirms.
func (p *Portal) proved(acting context.Context, c echo.Context, key string, act func(who customer.Customer) error) error {
	who := holder(c)
	err := act(who)
	if err == nil || fault.As(err).Message != owed {
		return err
	}
	if err := p.Customers.PayPINOwed(acting, who, c.FormValue("pin"), key); err != nil {
		return err
	}
	who.PINOwed = false
	return act(who)
}

const owed = "customer.pin_owed"
