// Package session keeps browser sessions in the database (a gorilla/sessions
// store) and protects forms against CSRF.
//
// The database holds the hash of a token, never the token. A login gets a new
// token, as does each further proof by PIN, code or password (see renew.go), and a
// logout ends the session on the server. A visitor who stores nothing
// has no row. A request that began before its session ended doesn't restore it.
// Forms from other sites are refused. A row that was written without the server's
// secret is no session. The package has no pages and reads nothing
// but sessions and their customers.
package session

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/gorilla/sessions"
	"github.com/labstack/echo/v4"

	"elsom/internal/customer"
	"elsom/internal/database"
	"elsom/internal/fault"
	"elsom/internal/keyedhash"
	"elsom/internal/recent"
	"elsom/internal/securitylog"
)

// A session ends after Idle without a request, and after Absolute in any case.
const (
	Idle     = 15 * time.Minute
	Absolute = 12 * time.Hour
)

// seenEvery bounds how often the time of the last request is written.
const seenEvery = time.Minute

// Options configures the sessions.
type Options struct {
	// Secret is the server's secret, from which the keys of cookies, form tokens and
	// rows are derived.
	Secret []byte
	// PreviousSecret is the secret that Secret replaces; empty: none. Cookies, form
	// tokens and rows made with it are accepted.
	PreviousSecret []byte
	// Secure reports whether the site is reached over https, at Public.
	Secure bool
	// Public is the public address: the origin of this site's forms over https.
	Public string
	// Left, if not nil, is called in the transaction of a logout or a login in a
	// browser. The sessions there of all customers but stays (0: of all customers)
	// have ended.
	Left func(tx *database.Tx, browser string, stays int64) error
	// Ended, if not nil, is called in the transaction in which the customer holder
	// ends the session in a browser or, with others, in all browsers but that one.
	Ended func(tx *database.Tx, holder int64, browser string, others bool) error
	// SecurityLog gets logouts, ended and forged sessions; may be nil.
	SecurityLog *securitylog.Log
	// Now replaces the database's clock, for tests.
	Now func() time.Time
}

// Sessions manages all browser sessions.
type Sessions struct {
	db         *database.DB
	store      *store
	cookieKeys keyedhash.Keys
	formKeys   keyedhash.Keys
	macKeys    keyedhash.Keys
	nextKeys   keyedhash.Keys // of nextToken
	secure     bool
	public     string // expected origin of forms over https; empty: the request's Host
	left       func(*database.Tx, string, int64) error
	ended      func(*database.Tx, int64, string, bool) error
	now        func() time.Time
	security   *securitylog.Log
	origin     *http.CrossOriginProtection
	reads      *database.Coalescer[string, *found]
	memory     *recent.Map[string, remembered] // of sessions that were read, by key
	active     activity
}

// New returns the sessions in db.
func New(db *database.DB, o Options) (*Sessions, error) {
	if o.Now == nil {
		o.Now = db.Now
	}
	s := &Sessions{db: db, secure: o.Secure, left: o.Left, ended: o.Ended, security: o.SecurityLog, now: o.Now, origin: http.NewCrossOriginProtection(),
		memory: recent.New[string, remembered](maxRemembered)}
	if o.Secure {
		s.public = originOf(o.Public)
	}
	s.store = &store{s}
	s.reads = database.NewCoalescer(s.readRows)
	for use, keys := range map[string]*keyedhash.Keys{
		"elsom session cookie": &s.cookieKeys, "elsom session form": &s.formKeys, "elsom session row": &s.macKeys,
		"elsom session renewal": &s.nextKeys,
	} {
		derived, err := keyedhash.DeriveAll(use, o.Secret, o.PreviousSecret)
		if err != nil {
			return nil, fmt.Errorf("session: %w", err)
		}
		*keys = derived
	}
	return s, nil
}

// Session is the browser session of one request. It is not safe for use by
// several goroutines.
type Session struct {
	sessions *Sessions // nil if the middleware has not run
	c        echo.Context
	g        *sessions.Session
	lang     string
	note     string
	device   []byte
	refused  bool // Save creates no row
	reread   bool // the handler was called again; see Reread
	outcome  error
}

const contextKey = "elsom session"

// Of returns the session of a request. If the middleware has not run or has
// failed, it is an empty session that stores nothing.
func Of(c echo.Context) *Session {
	if s, ok := c.Get(contextKey).(*Session); ok {
		return s
	}
	return &Session{c: c}
}

// Customer returns the signed-in customer, as read at the start of the request.
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

// Key identifies the browser session, for data bound to it. A login changes it, a
// renewal does not. It is the number of a customer's session, and of a visitor's the
// hash of the cookie's token.
func (s *Session) Key() string {
	if s.sessions == nil {
		return ""
	}
	if v := s.visit(); v.holder != nil {
		return v.row.name()
	}
	return s.visit().key
}

// Browser identifies the browser in which the customer is signed in. It is the same
// after another login there.
func (s *Session) Browser() string {
	if s.sessions == nil {
		return ""
	}
	return s.visit().row.Browser
}

// SignedIn reports whether the customer is still signed in, and locks the session
// until the transaction ends, so that it can't be ended before.
func (s *Session) SignedIn(tx *database.Tx) (bool, error) {
	holder, ok := s.Customer()
	if !ok {
		return false, nil
	}
	signedIn, err := lockSession(tx, s.visit().row.Handle, holder.ID, holder.SessionEpoch)
	return signedIn, fault.Wrap("session.signed_in", err)
}

// CSRF returns the token that each form must contain. Each call masks it anew:
// pages are compressed, and a repeated secret could be guessed from their size.
func (s *Session) CSRF() string {
	if s.sessions == nil {
		return ""
	}
	return s.sessions.formToken(s.visit().forms())
}

// Get returns a stored value; empty if there is none.
func (s *Session) Get(name string) string {
	if s.sessions == nil {
		return ""
	}
	value, _ := s.g.Values[name].(string)
	return value
}

// Set stores a value for later requests; an empty value removes it. Save writes it.
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

// Flash stores a message for the next page.
func (s *Session) Flash(text string) { s.Set(flashName, text) }

// TakeFlash returns the stored message and removes it.
func (s *Session) TakeFlash() string { return s.take(flashName) }

func (s *Session) take(name string) string {
	value := s.Get(name)
	s.Set(name, "")
	return value
}

// Save writes the changed values over what other requests wrote meanwhile, and sets
// the cookie. A session that ended meanwhile stays ended. Save runs before the
// first byte of the response; the middleware calls it if the handler has not.
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

// LogIn signs the customer in under a new token; holder.Browser.Known is stored with
// the session. The old session's values are dropped, except those stored for this customer by SetFor.
func (s *Session) LogIn(c echo.Context, holder customer.Customer) error {
	if s.sessions == nil {
		return errNoMiddleware
	}
	s.setDeviceCookie()
	s.removeCookie(noteCookie)
	return s.sessions.rotate(c, s.g, s.Device(), &holder)
}

// Confirmed stores that the customer has confirmed an operation in this browser
// (customer.Browser.Known), also for the rest of the request, and renews the session.
func (s *Session) Confirmed(ctx context.Context) error {
	if s.sessions == nil {
		return errNoMiddleware
	}
	v := s.visit()
	if v.holder == nil {
		return nil
	}
	//mutant:drop ./web TestConfirmationRenewsTheSession
	if err := s.sessions.renew(ctx, s.g, true); err != nil {
		return fault.Wrap("session.confirmed", err)
	}
	return nil
}

// Renew gives the session a new token after its customer has proved himself again: with
// the PIN, an SMS code or the password. The old token ends 10 seconds later. Key and
// the forms on the screen stay valid.
func (s *Session) Renew(ctx context.Context) error {
	if s.sessions == nil {
		return errNoMiddleware
	}
	if s.visit().holder == nil {
		return nil
	}
	return fault.Wrap("session.renew", s.sessions.renew(ctx, s.g, false))
}

// LogOut ends the session on the server. The browser gets a new, empty one.
func (s *Session) LogOut(c echo.Context) error {
	if s.sessions == nil {
		return nil
	}
	s.removeCookie(nextCookie)
	s.removeCookie(noteCookie)
	holder, signedIn := s.Customer()
	err := s.sessions.rotate(c, s.g, s.Device(), nil)
	if signedIn {
		s.sessions.record(c.Request().Context(), securitylog.Logout, holder, err)
	}
	return err
}

// cookieName returns the browser's name of one of our cookies.
func (s *Session) cookieName(name string) string {
	if s.sessions != nil && s.sessions.secure {
		return hostPrefix + name
	}
	return name
}

func (s *Session) setCookie(name, value string, seconds int) {
	name = s.cookieName(name)
	setCookie(s.c.Response(), &http.Cookie{ //nolint:gosec // Secure if the site is reached over https
		Name: name, Value: value, Path: "/", MaxAge: seconds,
		Secure: s.sessions != nil && s.sessions.secure, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}

func (s *Session) visit() *visit { return visitOf(s.g) }

// keepEnded is how long the row of an ended session is kept, so that the login page
// can say why the session ended.
const keepEnded = 24 * time.Hour

// Purge deletes the sessions that ended long ago, and returns their number.
func (s *Sessions) Purge(ctx context.Context) (int64, error) { return s.purge(ctx, s.now()) }
