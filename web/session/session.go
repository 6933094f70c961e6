// Package session knows which browser is asking, who is signed in there, and
// what waits for the next page: gorilla/sessions on a store of our own.
//
// It promises that the database holds no token, only its hash; that a login
// gets a new token and a logout ends the old one on the server; that a visitor
// who stores nothing has no row; that a session which ended is never brought
// back by a request that began before; and that nothing is changed by a form
// of another site. It knows no page and no act but who the customer is.
package session

import (
	"context"
	"crypto/hkdf"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/gorilla/sessions"
	"github.com/labstack/echo/v4"

	"elsom/internal/customer"
	"elsom/internal/database"
	"elsom/internal/fault"
)

// How long a session lasts without a request, and in all.
const (
	Idle     = 15 * time.Minute
	Absolute = 12 * time.Hour
)

// seenEvery bounds how often the time of the last request is written.
const seenEvery = time.Minute

// Options of the sessions.
type Options struct {
	// Secret is the server's; the keys of cookies and form tokens are derived
	// from it.
	Secret []byte
	// Secure reports that the site is reached over https, at Public.
	Secure bool
	// Public is the public address: the origin of this site's forms over https.
	Public string
	// Left is called, where there is one, in the transaction in which everybody
	// but one holder (0: all) leaves a browser: by a logout, or a login there.
	Left func(tx *database.Tx, browser string, stays int64) error
	// Ended is called, where there is one, in the transaction in which a holder
	// ends the session in a browser or, for others, in all but that one.
	Ended func(tx *database.Tx, holder int64, browser string, others bool) error
	// Now replaces the database's clock, for tests.
	Now func() time.Time
}

// Sessions is all browser sessions.
type Sessions struct {
	db        *database.DB
	store     *store
	cookieKey []byte
	formKey   []byte
	secure    bool
	public    string // expected origin of forms over https; empty: the request's Host
	left      func(*database.Tx, string, int64) error
	ended     func(*database.Tx, int64, string, bool) error
	now       func() time.Time
	origin    *http.CrossOriginProtection
	reads     *database.Coalescer[string, *found]
}

// New makes the sessions on db.
func New(db *database.DB, o Options) (*Sessions, error) {
	if o.Now == nil {
		o.Now = db.Now
	}
	s := &Sessions{db: db, secure: o.Secure, left: o.Left, ended: o.Ended, now: o.Now, origin: http.NewCrossOriginProtection()}
	if o.Secure {
		s.public = originOf(o.Public)
	}
	s.store = &store{s}
	s.reads = database.NewCoalescer(s.readRows)
	for use, key := range map[string]*[]byte{"elsom session cookie": &s.cookieKey, "elsom session form": &s.formKey} {
		derived, err := hkdf.Key(sha256.New, o.Secret, nil, use, sha256.Size)
		if err != nil {
			return nil, fmt.Errorf("session: %w", err)
		}
		*key = derived
	}
	return s, nil
}

// Session is the browser session of one request. It is not safe for use by
// several goroutines.
type Session struct {
	sessions *Sessions // nil: the request came in beside the middleware
	c        echo.Context
	g        *sessions.Session
	lang     string
	note     string
	device   []byte
	refused  bool // Save creates no row
}

const contextKey = "elsom session"

// Of gives the session of a request. Where the middleware has not run, or
// could not, it is one that nobody is signed in to and that keeps nothing.
func Of(c echo.Context) *Session {
	if s, ok := c.Get(contextKey).(*Session); ok {
		return s
	}
	return &Session{c: c}
}

// Customer gives who is signed in, as of the beginning of the request.
func (s *Session) Customer() (customer.Customer, bool) {
	if s.sessions == nil {
		return customer.Customer{}, false
	}
	return s.visit().customer()
}

// End is why a session ended without a logout; empty if it did not.
type End string

// The reasons for which a session ends without a logout.
const (
	EndedIdle       End = "idle"     // too long without a request, or too old
	EndedElsewhere  End = "device"   // its holder ended it from another browser
	EndedByPassword End = "password" // all sessions ended with the old password
	EndedByClosing  End = "wallet"   // its holder closed the wallet
	EndedOtherwise  End = "out"
)

// Ended returns the customer of a session that was found ended by this request, and
// why it ended.
func (s *Session) Ended() (customer.Customer, End) {
	if s.sessions == nil {
		return customer.Customer{}, ""
	}
	return s.visit().left, s.visit().end
}

// Key names the browser session, for what is bound to it: the hash of the
// cookie's token. A login changes it.
func (s *Session) Key() string {
	if s.sessions == nil {
		return ""
	}
	return s.visit().key
}

// Browser names the browser in which the customer is signed in; it stays the
// same over logins there.
func (s *Session) Browser() string {
	if s.sessions == nil {
		return ""
	}
	return s.visit().browser
}

// Holds tells whether who is signed in still is; until the transaction ends
// nobody can end the session.
func (s *Session) Holds(tx *database.Tx) (bool, error) {
	who, ok := s.Customer()
	if !ok {
		return false, nil
	}
	held, err := holds(tx, s.Key(), who.ID, who.SessionEpoch)
	return held, fault.Wrap("session.holds", err)
}

// CSRF gives the token that each form must hold, masked anew at each call
// since pages are compressed.
func (s *Session) CSRF() string {
	if s.sessions == nil {
		return ""
	}
	return s.sessions.formToken(s.visit().token)
}

// Get gives a value that waits in the session; empty where there is none.
func (s *Session) Get(name string) string {
	if s.sessions == nil {
		return ""
	}
	value, _ := s.g.Values[name].(string)
	return value
}

// Set keeps a value for later requests; an empty one is forgotten. It is
// written by Save.
func (s *Session) Set(name, value string) {
	switch {
	case s.sessions == nil:
	case value == "":
		delete(s.g.Values, name)
	default:
		s.g.Values[name] = value
	}
}

// SetFor stores a value for the next session of this customer in this browser.
// LogIn of another customer drops it.
func (s *Session) SetFor(customerID int64, name, value string) {
	s.Set(nameFor(customerID, name), value)
}

func nameFor(customerID int64, name string) string {
	return "for " + strconv.FormatInt(customerID, 10) + " " + name
}

const flashName = "flash"

// Flash keeps words for the next page.
func (s *Session) Flash(words string) { s.Set(flashName, words) }

// TakeFlash gives the words that were kept, once.
func (s *Session) TakeFlash() string { return s.take(flashName) }

func (s *Session) take(name string) string {
	value := s.Get(name)
	s.Set(name, "")
	return value
}

// Save writes what was set, as changes to what other requests wrote meanwhile,
// and sets the cookie. A session that ended meanwhile stays ended. It must run
// before the first byte of the answer, and does so by itself where nobody
// called it.
func (s *Session) Save() error {
	if s.sessions == nil {
		return nil
	}
	//mutant:drop TestRefusedStoresNothing
	if v := s.visit(); s.refused && !v.stored {
		clear(s.g.Values)
		s.g.Values[visitKey{}] = v
	}
	return s.sessions.store.Save(s.c.Request(), s.c.Response(), s.g)
}

// Refuse makes Save create no row, so that refused requests don't fill the
// database.
func (s *Session) Refuse() { s.refused = true }

// LogIn signs the customer in under a new token. Nothing stays of what the old
// session had, except values stored for this customer by SetFor.
func (s *Session) LogIn(c echo.Context, who customer.Customer) error {
	if s.sessions == nil {
		return errNoMiddleware
	}
	s.keepDevice()
	s.forget(noteCookie)
	return s.sessions.rotate(c, s.g, s.Device(), &who)
}

// LogOut ends the session on the server and gives the browser a new, empty one.
func (s *Session) LogOut(c echo.Context) error {
	if s.sessions == nil {
		return nil
	}
	s.forget(nextCookie)
	s.forget(noteCookie)
	return s.sessions.rotate(c, s.g, s.Device(), nil)
}

// Lang is the visitor's language: the one switched to in this request, that of
// who is signed in, that of the browser's cookie, otherwise Russian.
func (s *Session) Lang() string {
	if s.lang != "" {
		return s.lang
	}
	if who, ok := s.Customer(); ok {
		return who.Lang
	}
	if lang := s.kept(langCookie); lang != "" {
		return lang
	}
	return defaultLang
}

// SetLang keeps the visitor's language in the browser for a year. Where
// somebody is signed in, the caller keeps it with the customer too.
func (s *Session) SetLang(lang string) {
	if !spoken(lang) {
		return
	}
	s.lang = lang
	s.keep(langCookie, lang, 365*24*60*60)
	if _, ok := s.Customer(); !ok {
		s.keep(choiceCookie, lang, int(Idle/time.Second))
	}
}

// TakeChoice gives, once, the language that the visitor switched to shortly
// before a login: it is newer than what is kept with the customer, while the
// browser's own may be anybody's. Empty where there was no switch.
func (s *Session) TakeChoice() string {
	lang := s.kept(choiceCookie)
	if lang != "" {
		s.keep(choiceCookie, "", -1)
	}
	return lang
}

// kept gives the language in a cookie; empty where there is none.
func (s *Session) kept(name string) string {
	if s.c == nil {
		return ""
	}
	for _, name := range []string{hostPrefix + name, name} {
		if cookie, err := s.c.Cookie(name); err == nil && spoken(cookie.Value) {
			return cookie.Value
		}
	}
	return ""
}

// cookie is the name of one of our cookies in the browser.
func (s *Session) cookie(name string) string {
	if s.sessions != nil && s.sessions.secure {
		return hostPrefix + name
	}
	return name
}

func (s *Session) keep(name, value string, seconds int) {
	name = s.cookie(name)
	setCookie(s.c.Response(), &http.Cookie{ //nolint:gosec // Secure where people come over https
		Name: name, Value: value, Path: "/", MaxAge: seconds,
		Secure: s.sessions != nil && s.sessions.secure, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}

const (
	langCookie   = "lang"
	choiceCookie = "lang_choice"
	defaultLang  = "ru"
)

func spoken(lang string) bool { return lang == "ky" || lang == "ru" || lang == "en" }

func (s *Session) visit() *visit { return visitOf(s.g) }

// Middleware finds the session of each request, with its customer, in one
// reading.
func (s *Sessions) Middleware() echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			g, err := s.store.Get(c.Request(), s.cookieName())
			if err != nil {
				return err
			}
			session := &Session{sessions: s, c: c, g: g}
			c.Set(contextKey, session)
			c.Response().Before(func() {
				//mutant:drop ./internal/e2e TestBackShowsTheStateOfNow
				session.markPage()
				if err := session.Save(); err != nil {
					slog.ErrorContext(c.Request().Context(), "session: not saved", "error", err)
				}
			})
			return next(c)
		}
	}
}

// remembered is how long an ended session is kept, so that whoever comes back
// is told why they are asked to log in.
const remembered = 24 * time.Hour

// Purge deletes the sessions that have ended long ago and tells how many.
func (s *Sessions) Purge(ctx context.Context) (int64, error) { return s.purge(ctx, s.now()) }
