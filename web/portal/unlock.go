package portal

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"elsom/internal/customer"
	"elsom/internal/phone"
	"elsom/templates/page"
	"elsom/web/session"
)

// Unlock sends the SMS code that unlocks the PIN, after checking the password.
func (p *Portal) Unlock(c echo.Context) error {
	pin, err := p.services.Customers.PIN(ctx(c), holder(c).ID)
	if err != nil {
		return err
	}
	if pinState(pin) != page.LockedPIN && !languageSwitched(c) {
		return redirect(c, "/settings/pin")
	}
	return p.submit(c, func() (form, error) { return p.pinPage(c) }, func() (string, error) {
		s := session.Of(c)
		return "/settings/pin/unlock", p.services.Customers.StartUnlock(committed(c), s.Key(), holder(c).ID, c.FormValue("password"), s.Lang(), origin(c))
	})
}

// ShowUnlock asks for the SMS code.
func (p *Portal) ShowUnlock(c echo.Context) error {
	return p.withCode(c, customer.ForUnlock, "/settings/pin", func(number phone.Number) error {
		return render(c, http.StatusOK, p.unlockPage(c, number))
	})
}

// UnlockCode checks the SMS code and unlocks the PIN.
func (p *Portal) UnlockCode(c echo.Context) error {
	return p.withCode(c, customer.ForUnlock, "/settings/pin", func(number phone.Number) error {
		code := typed(c, "code")
		return p.submit(c, func() (form, error) {
			view := p.unlockPage(c, number)
			view.Code = code
			return view, nil
		}, func() (string, error) {
			err := p.services.Customers.ConfirmUnlock(committed(c), session.Of(c).Key(), holder(c).ID, code.Value)
			if confirmedTwice(err) {
				return "/settings/pin", nil
			}
			if err != nil {
				return "", err
			}
			//mutant:drop ./web TestFurtherProofsRenewTheSession
			if err := session.Of(c).Renew(committed(c)); err != nil {
				return "", err
			}
			session.Of(c).Flash(lang(c).T("flash.pin_unlocked"))
			return "/settings", nil
		})
	})
}

// ResendUnlock sends the SMS code again.
func (p *Portal) ResendUnlock(c echo.Context) error {
	return p.withCode(c, customer.ForUnlock, "/settings/pin", func(number phone.Number) error {
		return p.submit(c, func() (form, error) { return p.unlockPage(c, number), nil }, func() (string, error) {
			return "/settings/pin/unlock", p.resendCode(c, customer.ForUnlock)
		})
	})
}

func (p *Portal) unlockPage(c echo.Context, number phone.Number) *page.UnlockPage {
	return &page.UnlockPage{Frame: p.frame(c), Wallet: number.Pretty()}
}
