package portal

import (
	"log/slog"
	"net/http"

	"github.com/labstack/echo/v4"

	"elsom/internal/i18n"
	"elsom/templates/layout"
	"elsom/web/session"
)

func lang(c echo.Context) i18n.Lang {
	lang, _ := i18n.Parse(session.Of(c).Lang())
	return lang
}

// LanguageLink shows the page in the language that a link asks for in ?lang=. It
// stores the language if the link is on a page of this site: other sites may link
// here too, and must not change what a customer chose.
func (p *Portal) LanguageLink(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if c.Request().Method == http.MethodGet {
			if lang, ok := i18n.Parse(c.QueryParam("lang")); ok {
				//mutant:replace session.Of(c).FollowsOwnLink() => true ./web TestForeignLanguageLinkIsNotStored
				if session.Of(c).FollowsOwnLink() {
					p.storeLanguage(c, lang)
				} else {
					session.Of(c).ShowIn(string(lang))
				}
			}
		}
		return next(c)
	}
}

const languageSwitchedKey = "portal language switched"

// LanguageSwitch stores the language of a form that was posted by the language
// switch. It runs after Guard, which checks the form's token. The form's handler
// then only shows the page again; see languageSwitched.
func (p *Portal) LanguageSwitch(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if c.Request().Method == http.MethodPost {
			if lang, ok := i18n.Parse(c.FormValue(layout.SwitchField)); ok {
				p.storeLanguage(c, lang)
				c.Set(languageSwitchedKey, true)
			}
		}
		return next(c)
	}
}

// languageSwitched reports whether the request is a form posted by the language
// switch. submit then shows the page again without calling the service. Buttons
// without a form page ignore it: their pages post no language.
func languageSwitched(c echo.Context) bool { return c.Get(languageSwitchedKey) != nil }

// storeLanguage stores the language in the browser and with the signed-in
// customer, whose messages are sent in it.
func (p *Portal) storeLanguage(c echo.Context, lang i18n.Lang) {
	s := session.Of(c)
	s.SetLang(string(lang))
	if holder, ok := s.Customer(); ok && holder.Lang != string(lang) {
		if err := p.services.Customers.SetLanguage(ctx(c), holder.ID, string(lang)); err != nil {
			slog.WarnContext(ctx(c), "portal: language not stored", "customer", holder.ID, "error", err)
		}
	}
}

// ChooseLanguage stores the language chosen in the settings.
func (p *Portal) ChooseLanguage(c echo.Context) error {
	if lang, ok := i18n.Parse(c.FormValue("lang")); ok {
		p.storeLanguage(c, lang)
	}
	return redirect(c, "/settings")
}
