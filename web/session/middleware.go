package session

import (
	"errors"
	"log/slog"
	"net/http"
	"slices"

	"github.com/labstack/echo/v4"

	"elsom/internal/fault"
)

// Middleware reads the session of each request with its customer, in one statement.
//
// A POST to one of the paying paths gets a session that this process has read within the
// last minute as it was then. It may be used for nothing but to take money out of the
// wallet, by a posting with limit.Rider, which proves that the session has not ended since.
// The handler answers everything else with Reread.
func (s *Sessions) Middleware(paying ...string) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			session := &Session{sessions: s, c: c}
			pays := c.Request().Method == http.MethodPost && slices.Contains(paying, c.Path())
			if err := session.open(pays); err != nil {
				return err
			}
			c.Set(contextKey, session)
			session.renewDeviceCookie()
			c.Response().Before(func() {
				//mutant:drop ./internal/e2e TestBackShowsCurrentState
				session.setPageCookie()
				if err := session.Save(); err != nil {
					slog.ErrorContext(c.Request().Context(), "session: not saved", "error", err)
				}
			})
			err := next(c)
			if !errors.Is(err, errReread) {
				return err
			}
			session.reread = true
			if err = session.open(false); err == nil {
				err = next(c)
			}
			//mutant:drop ./web/portal TestUnknownOutcomeOfARememberedSession
			if err != nil && fault.Is(session.outcome, fault.Unknown) {
				return session.outcome // whatever failed since says nothing about it
			}
			return err
		}
	}
}

// open sets the session of the request's cookie. With remembered it may be one that was
// read before.
func (s *Session) open(remembered bool) (err error) {
	s.g, err = s.sessions.store.open(s.c.Request(), s.sessions.cookieName(), remembered)
	return err
}

var errReread = errors.New("session: the handler is called again")

// Reread returns an error for a handler to return: then the middleware reads the session
// from the database and calls the handler again, with everything in between. It is nil if
// that was done already. outcome is the error of what the handler did, if any; if it is
// fault.Unknown, so is the answer when the session can't be read or the handler fails.
func (s *Session) Reread(outcome error) error {
	if s.sessions == nil || s.reread {
		return nil
	}
	s.outcome = outcome
	return errReread
}

// Outcome returns what Reread was given.
func (s *Session) Outcome() error { return s.outcome }

// IsReread reports whether an error is that of Reread.
func IsReread(err error) bool { return errors.Is(err, errReread) }

// Remembered reports whether the session is not read for this request; see Middleware.
func (s *Session) Remembered() bool { return s.sessions != nil && s.visit().remembered }
