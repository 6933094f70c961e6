package portal

import (
	"context"
	"errors"
	"net/http"

	"github.com/labstack/echo/v4"

	"elsom/internal/customer"
	"elsom/templates/page"
	"elsom/web/session"
)

// ShowPIN shows the form that sets, changes or unlocks the PIN.
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
	// The page reads the PIN's state again: the last attempt may have locked it, or
	// another page may have set it.
	return p.submit(c, func() (form, error) { return p.pinPage(c) }, func() (string, error) {
		holder, pin := holder(c), c.FormValue("pin")
		var err error
		if holder.HasPIN {
			err = p.services.Customers.ChangePIN(committed(c), holder.ID, c.FormValue("old_pin"), pin)
		} else {
			err = p.services.Customers.SetPIN(committed(c), holder.ID, c.FormValue("password"), pin)
		}
		if err != nil {
			return "", err
		}
		session.Of(c).Flash(lang(c).T("door.pin_changed"))
		return "/settings", nil
	})
}

func (p *Portal) pinPage(c echo.Context) (*page.PINPage, error) {
	holder := holder(c)
	pin, err := p.services.Customers.PIN(ctx(c), holder.ID)
	if err != nil {
		return nil, err
	}
	return &page.PINPage{Frame: p.frame(c), Wallet: holder.Phone.Pretty(), State: pinState(pin), Until: pin.LockedUntil}, nil
}

func pinState(pin customer.PINState) page.PINState {
	switch {
	case !pin.Set:
		return page.NoPIN
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

// withPIN runs an operation that takes money out of the wallet. If it is refused
// with customer.PINOwed, withPIN verifies the PIN of the form and runs the
// operation once more. key identifies the operation that the PIN confirms.
func (p *Portal) withPIN(ctx context.Context, c echo.Context, key string, operation func(holder customer.Customer) error) error {
	holder := holder(c)
	err := operation(holder)
	if !errors.Is(err, customer.PINOwed) {
		return err
	}
	if err := p.services.Customers.ClearPINOwed(ctx, holder, c.FormValue("pin"), key); err != nil {
		return err
	}
	holder.PINOwed = false
	return operation(holder)
}
