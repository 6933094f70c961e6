package portal

import (
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"elsom/internal/customer"
	"elsom/internal/fault"
	"elsom/web/session"
)

// undone maps what a request of an ended session did or did not do to the key of
// its message. The names are stored in notes of the session.
var undone = map[string]string{
	"pay":    "portal.check.nothing_paid",
	"paid":   "portal.check.paid",
	"send":   "portal.transfer.nothing_sent",
	"sent":   "portal.transfer.sent_before",
	"change": "session.undone.change",
	"read":   "session.undone.read",
	"since":  "session.undone.since",
}

// Ended prepares the login after a session has ended: it stores a note about why it
// ended and what was not done, the number for the login form, and the values of
// the posted form, which only a session of the same customer gets back.
func (p *Portal) Ended(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		s := session.Of(c)
		//mutant:drop TestUnknownOutcomeOfARememberedSession
		if err := unknownOutcome(c); err != nil {
			if _, signedIn := s.Customer(); !signedIn {
				return err // no text about what was not paid
			}
		}
		if holder, end := s.Ended(); end != "" {
			//mutant:drop ./web TestFormOfEndedSession
			s.SetNote(string(end) + " " + p.undone(c, holder))
			s.Set(pendingPhone, holder.Phone.String())
			if values := p.unsentValues(c); values != "" {
				s.SetFor(holder.ID, unsentForm, values)
			}
		}
		return next(c)
	}
}

// SignedOut stores a note when a form is posted without a session, as after a
// logout in another tab.
func (p *Portal) SignedOut(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		s := session.Of(c)
		_, signedIn := s.Customer()
		if _, end := s.Ended(); !signedIn && end == "" && c.Request().Method == http.MethodPost {
			s.SetNote(string(session.EndedOtherwise) + " since")
		}
		return next(c)
	}
}

// undone returns the name, in the map undone, of what the request of an ended
// session did not do. A draft that was accepted before stays accepted.
func (p *Portal) undone(c echo.Context, holder customer.Customer) string {
	if c.Request().Method != http.MethodPost {
		return "read"
	}
	switch path := c.Path(); {
	case path == "/pay/:service":
		return "pay"
	case path == transferPath:
		return "send"
	//mutant:replace strings.HasPrefix(path, "/check/:draft") => path == "/check/:draft" ./web TestSessionEndedWhileConfirming
	case strings.HasPrefix(path, "/check/:draft"): // and its confirmation
		return p.accepted(c, "paid", "pay", func(id int64) error {
			_, err := p.services.Payments.ByID(ctx(c), holder.ID, id)
			return err
		})
	case strings.HasPrefix(path, "/transfer/:draft"):
		return p.accepted(c, "sent", "send", func(id int64) error {
			_, err := p.services.Transfers.ByID(ctx(c), holder.ID, id)
			return err
		})
	case strings.HasPrefix(path, "/settings"), path == "/language":
		return "change"
	}
	return "read"
}

// accepted returns done if read finds the draft's payment or transfer, undone if
// there is none, and "since" if read fails.
func (p *Portal) accepted(c echo.Context, done, undone string, read func(id int64) error) string {
	id, err := draftID(c)
	if err == nil {
		err = read(id)
	}
	switch {
	//mutant:drop ./web TestSessionEndedAfterPaying
	case err == nil:
		return done
	case fault.Is(err, fault.NotFound):
		return undone
	}
	return "since"
}

// endedNote returns the text about an ended session for the login page.
func endedNote(c echo.Context) string {
	s := session.Of(c)
	why, what, found := strings.Cut(s.Note(), " ")
	if _, signedIn := s.Customer(); signedIn || !found {
		return ""
	}
	return lang(c).T("session.ended."+why) + " " + lang(c).T(undone[what])
}
