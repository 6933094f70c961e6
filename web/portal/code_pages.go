package portal

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"elsom/internal/fault"
	"elsom/internal/phone"
	"elsom/templates/page"
	"elsom/web/session"
)

const (
	loginCodePath = "/login/code"
	browserPath   = "/settings/browser"
)

// codePage is a page that asks for an SMS code and posts to its own address.
type codePage struct {
	path, resendPath, start string
	number                  phone.Number
	awaits                  func() (bool, error)
	// confirm returns the address to continue at.
	confirm func(code string) (next string, err error)
	resend  func() error
}

func (p *Portal) loginCode(c echo.Context) codePage {
	number, _ := pendingNumber(c)
	return codePage{
		path: loginCodePath, resendPath: "/login/resend", start: "/login", number: number,
		awaits: func() (bool, error) { return p.services.Customers.AwaitsLogin(ctx(c), number, origin(c)) },
		confirm: func(code string) (string, error) {
			owner, err := p.services.Customers.ConfirmLogin(committed(c), number, code, origin(c))
			if err != nil {
				return "", err
			}
			return p.signIn(c, owner)
		},
		resend: func() error { return p.services.Customers.ResendLogin(committed(c), number, origin(c)) },
	}
}

func (p *Portal) browserCode(c echo.Context) codePage {
	owner := holder(c)
	return codePage{
		path: browserPath, resendPath: browserPath + "/resend", start: "/settings/pin", number: owner.Phone,
		awaits: func() (bool, error) { return p.services.Customers.AwaitsBrowser(ctx(c), owner) },
		confirm: func(code string) (string, error) {
			if err := p.services.Customers.ConfirmBrowser(committed(c), owner, code, origin(c)); err != nil {
				return "", err
			}
			if err := session.Of(c).Confirmed(committed(c)); err != nil {
				return "", err
			}
			session.Of(c).Flash(lang(c).T("flash.browser_confirmed"))
			return "/settings/pin", nil
		},
		resend: func() error { return p.services.Customers.ResendBrowser(committed(c), owner, origin(c)) },
	}
}

// ShowLoginCode asks for the SMS code of a login after many failed ones.
func (p *Portal) ShowLoginCode(c echo.Context) error { return p.showCode(c, p.loginCode(c)) }

// LoginCode signs the customer in.
func (p *Portal) LoginCode(c echo.Context) error { return p.confirmCode(c, p.loginCode(c)) }

// ResendLoginCode sends the code of the login again.
func (p *Portal) ResendLoginCode(c echo.Context) error { return p.resendCodeOf(c, p.loginCode(c)) }

// ShowBrowserCode asks for the SMS code that makes the browser known.
func (p *Portal) ShowBrowserCode(c echo.Context) error { return p.showCode(c, p.browserCode(c)) }

// BrowserCode makes the browser known.
func (p *Portal) BrowserCode(c echo.Context) error { return p.confirmCode(c, p.browserCode(c)) }

// ResendBrowserCode sends the code of the browser again.
func (p *Portal) ResendBrowserCode(c echo.Context) error {
	return p.resendCodeOf(c, p.browserCode(c))
}

// withAwaited calls next if the session awaits the code; otherwise it redirects to
// the start.
func (p *Portal) withAwaited(c echo.Context, of codePage, next func() error) error {
	awaits, err := of.awaits()
	if err != nil {
		return err
	}
	if !awaits {
		return redirect(c, of.start)
	}
	return next()
}

func (p *Portal) codePage(c echo.Context, of codePage) *page.CodePage {
	return &page.CodePage{Frame: p.frame(c), Path: of.path, ResendPath: of.resendPath, Back: of.start, Login: of.path == loginCodePath, Wallet: of.number.Pretty()}
}

func (p *Portal) showCode(c echo.Context, of codePage) error {
	return p.withAwaited(c, of, func() error { return render(c, http.StatusOK, p.codePage(c, of)) })
}

func (p *Portal) confirmCode(c echo.Context, of codePage) error {
	return p.withAwaited(c, of, func() error {
		code := typed(c, "code")
		return p.submit(c, func() (form, error) {
			view := p.codePage(c, of)
			view.Code = code
			return view, nil
		}, func() (string, error) {
			next, err := of.confirm(code.Value)
			if confirmedTwice(err) {
				return of.start, nil
			}
			return next, err
		})
	})
}

func (p *Portal) resendCodeOf(c echo.Context, of codePage) error {
	return p.withAwaited(c, of, func() error {
		return p.submit(c, func() (form, error) { return p.codePage(c, of), nil }, func() (string, error) {
			err := of.resend()
			if fault.Is(err, fault.NotFound) {
				return of.start, nil
			}
			if err != nil {
				return "", err
			}
			session.Of(c).Flash(lang(c).T("flash.code_sent"))
			return of.path, nil
		})
	})
}
