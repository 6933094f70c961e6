package portal

import (
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"elsom/internal/customer"
	"elsom/internal/fault"
	"elsom/web/session"
)

// undone maps what a request of an ended session did not do to its message.
var undone = map[string]string{
	"pay":    "portal.check.nothing_paid",
	"paid":   "portal.check.paid",
	"send":   "portal.transfer.nothing_sent",
	"sent":   "portal.transfer.sent_before",
	"change": "door.undone.change",
	"read":   "door.undone.read",
	"since":  "door.undone.since",
}

// Ended prepares the login of a visitor whose session has ended: it stores a note
// about why it ended and what was not done, the number for the form, and the typed
// values, which only the same wallet gets back.
func (p *Portal) Ended(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		s := session.Of(c)
		if who, end := s.Ended(); end != "" {
			//mutant:drop ./web TestFormOfAnEndedSession
			s.SetNote(string(end) + " " + p.undone(c, who))
			s.Set(pendingPhone, who.Phone.String())
			if late := p.lateValues(c); late != "" {
				s.SetFor(who.ID, lateForm, late)
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

// undone returns the key of what the request of an ended session did not do. A draft
// that was accepted before stays accepted.
func (p *Portal) undone(c echo.Context, who customer.Customer) string {
	if c.Request().Method != http.MethodPost {
		return "read"
	}
	switch path := c.Path(); {
	case path == "/pay/:service":
		return "pay"
	case path == transferPath:
		return "send"
	case path == "/check/:draft":
		return p.accepted(c, "paid", "pay", func(id int64) error {
			_, err := p.Payments.ByID(ctx(c), who.ID, id)
			return err
		})
	case path == "/transfer/:draft":
		return p.accepted(c, "sent", "send", func(id int64) error {
			_, err := p.Transfers.ByID(ctx(c), who.ID, id)
			return err
		})
	case strings.HasPrefix(path, "/settings"), path == "/language":
		return "change"
	}
	return "read"
}

func (p *Portal) accepted(c echo.Context, done, undone string, read func(id int64) error) string {
	id, err := draftID(c)
	if err == nil {
		err = read(id)
	}
	switch {
	//mutant:drop ./web TestEndedAfterPaying
	case err == nil:
		return done
	case fault.Is(err, fault.NotFound):
		return undone
	}
	return "since"
}

// note returns the text about an ended session for the login page.
func (p *Portal) note(c echo.Context) string {
	s := session.Of(c)
	why, what, found := strings.Cut(s.Note(), " ")
	if _, signedIn := s.Customer(); signedIn || !found {
		return ""
	}
	return p.lang(c).T("door.closed."+why) + " " + p.lang(c).T(undone[what])
}
