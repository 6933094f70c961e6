package gallery

import (
	"time"

	"github.com/a-h/templ"

	"elsom/internal/i18n"
	"elsom/internal/qr"
	"elsom/templates/page"
)

// numberCode is the QR code of the wallet's number.
func numberCode() qr.Code {
	code, _ := qr.New(digits)
	return code
}

func texts() []State {
	return []State{
		{"fill", "texts", func(l i18n.Lang) templ.Component {
			f := holder(l, "/fill")
			f.Dev = true
			return page.FillPage{Frame: f, Wallet: wallet, Digits: digits, Code: numberCode()}.Page()
		}},
		{"fill-back", "texts", func(l i18n.Lang) templ.Component {
			return page.FillPage{Frame: holder(l, "/fill?back=7"), Wallet: wallet, Digits: digits, Code: numberCode(), BackHref: "/check/7", Missing: 150_50}.Page()
		}},
		{"help", "texts", func(l i18n.Lang) templ.Component {
			return page.HelpPage{Frame: visitor(l, "/help")}.Page()
		}},
		{"offer", "texts", func(l i18n.Lang) templ.Component {
			return page.OfferPage{Frame: visitor(l, "/offer"), Edition: page.CurrentOffer()}.Page()
		}},
	}
}

func failures() []State {
	failed := func(name string, view page.ErrorPage, signedIn bool) State {
		return State{name, "errors", func(l i18n.Lang) templ.Component {
			p := view
			p.Frame = visitor(l, "/")
			if signedIn {
				p.Frame = holder(l, "/cabinet")
			}
			p.RequestID = "7KQM-2XPD"
			return p.Page()
		}}
	}
	return []State{
		failed("error-403", page.ErrorPage{Status: 403}, false),
		failed("error-stale", page.ErrorPage{Status: 403, Stale: true, BackHref: "/check/7"}, true),
		failed("error-404", page.ErrorPage{Status: 404}, true),
		failed("error-422", page.ErrorPage{Status: 422}, true),
		failed("error-429", page.ErrorPage{Status: 429, RetryAfter: 5 * time.Minute}, false),
		failed("error-500", page.ErrorPage{Status: 500}, true),
		failed("error-503", page.ErrorPage{Status: 503}, true),
	}
}
