package session

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"

	"elsom/internal/fault"
	"elsom/internal/keyedhash"
)

// FormField is the form field of the CSRF token.
const FormField = "csrf"

var (
	errNoMiddleware  = errors.New("session: the middleware has not run")
	errForeignOrigin = errors.New("session: Origin is not the public address")
)

// Reasons of Guard's faults.
const (
	// ForeignForm is a form of another site.
	ForeignForm fault.Reason = "session.foreign"
	// StaleForm is a form without the session's token, as after the session was
	// replaced in another tab.
	StaleForm fault.Reason = "session.stale"
)

// formToken returns the CSRF token of a session: a keyed hash of forms, masked with new
// random bytes at each call. forms is visit.forms.
func (s *Sessions) formToken(forms string) string {
	masked := make([]byte, 2*sha256.Size)
	//mutant:drop TestTokensAreMasked
	_, _ = rand.Read(masked[:sha256.Size]) // never fails
	subtle.XORBytes(masked[sha256.Size:], masked[:sha256.Size], formHash(s.formKeys.Current(), forms))
	return base64.RawURLEncoding.EncodeToString(masked)
}

//mutant:replace MAC([]byte(forms)) => MAC(nil) ./web TestFormsOfOtherSitesAreRefused
func formHash(key keyedhash.Key, forms string) []byte { return key.MAC([]byte(forms)) }

// validFormToken reports whether a posted CSRF token belongs to the session.
func (s *Sessions) validFormToken(posted, forms string) bool {
	masked, err := base64.RawURLEncoding.DecodeString(posted)
	if err != nil || len(masked) != 2*sha256.Size {
		return false
	}
	hash := make([]byte, sha256.Size)
	subtle.XORBytes(hash, masked[:sha256.Size], masked[sha256.Size:])
	return s.formKeys.Any(func(key keyedhash.Key) bool { return hmac.Equal(hash, formHash(key, forms)) })
}

// Guard refuses requests that change something unless they come from a form of this
// session: fault.Forbidden with ForeignForm or StaleForm. The token is required
// even if the browser's headers say same-origin.
func (s *Sessions) Guard() echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			request := c.Request()
			if readOnly(request.Method) {
				return next(c)
			}
			//mutant:drop TestGuard
			if err := s.checkOrigin(request); err != nil {
				return fault.New(fault.Forbidden, "session.guard", ForeignForm).Because(err)
			}
			session := Of(c)
			if session.sessions == nil {
				return fault.Wrap("session.guard", errNoMiddleware)
			}
			//mutant:drop TestGuard
			//mutant:replace PostFormValue => FormValue TestTokenInAddressIsRefused
			if !s.validFormToken(request.PostFormValue(FormField), session.visit().forms()) {
				return fault.New(fault.Forbidden, "session.guard", StaleForm)
			}
			return next(c)
		}
	}
}

// checkOrigin refuses a form from another site. Over https the origin is compared
// with the public address, since a proxy may have changed the Host header.
func (s *Sessions) checkOrigin(r *http.Request) error {
	origin := r.Header.Get("Origin")
	if s.public == "" || origin == "" || r.Header.Get("Sec-Fetch-Site") != "" {
		return s.origin.Check(r)
	}
	//mutant:replace origin != s.public => o, err := url.Parse(origin); err != nil || o.Host != r.Host ./web TestFormsBehindAProxyThatChangesTheHost
	if origin != s.public { // a browser from before 2023
		return errForeignOrigin
	}
	return nil
}

// originOf returns the origin of an address as browsers send it: in lower case,
// without the default port.
func originOf(address string) string {
	u, err := url.Parse(strings.ToLower(address))
	if err != nil || u.Host == "" {
		return ""
	}
	host := u.Host
	if port := map[string]string{"https": ":443", "http": ":80"}[u.Scheme]; port != "" {
		host = strings.TrimSuffix(host, port)
	}
	return u.Scheme + "://" + host
}

func readOnly(method string) bool {
	//mutant:replace == http.MethodOptions => != http.MethodPost TestGuardCoversOtherMethods
	return method == http.MethodGet || method == http.MethodHead || method == http.MethodOptions
}

// RequireCustomer redirects a visitor who is not signed in to the first page, and
// stores where to return after the login: the requested page or, for a form, the
// page that contains it.
func (s *Sessions) RequireCustomer() echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			session := Of(c)
			//mutant:replace _, ok := session.Customer(); ok => true TestRequireCustomer
			if _, ok := session.Customer(); ok {
				return next(c)
			}
			if next := s.returnAddress(c); isLocal(next) {
				session.setNext(next)
			}
			if err := session.Save(); err != nil {
				return err
			}
			return c.Redirect(http.StatusSeeOther, "/")
		}
	}
}

func (s *Sessions) returnAddress(c echo.Context) string {
	request := c.Request()
	if readOnly(request.Method) {
		return request.URL.RequestURI()
	}
	// Not the Referer: it may be the response to another form.
	for _, route := range c.Echo().Routes() {
		if route.Method == http.MethodGet && route.Path == c.Path() {
			return request.URL.EscapedPath()
		}
	}
	if from, err := url.Parse(request.Referer()); err == nil && s.ours(from, request) {
		return from.RequestURI()
	}
	return ""
}

// ours reports whether an address belongs to this site.
func (s *Sessions) ours(address *url.URL, r *http.Request) bool {
	if s.public != "" {
		return originOf(address.String()) == s.public
	}
	return address.Host == r.Host
}

// FollowsOwnLink reports whether the request comes from a page of this site. Other
// sites can set neither header to a value of ours; where both are missing, it is
// unknown and reported as false.
func (s *Session) FollowsOwnLink() bool {
	if s.sessions == nil {
		return false
	}
	r := s.c.Request()
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" {
		return site == "same-origin"
	}
	from, err := url.Parse(r.Referer())
	return err == nil && from.Host != "" && s.sessions.ours(from, r)
}

// maxNext bounds a stored address, in bytes.
const maxNext = 512

// isLocal reports whether every browser resolves the address to a page of this
// site.
func isLocal(address string) bool {
	//mutant:replace || strings.HasPrefix(address, "//") => TestNextStaysOnTheSite
	if len(address) > maxNext || !strings.HasPrefix(address, "/") || strings.HasPrefix(address, "//") {
		return false
	}
	for _, r := range address {
		//mutant:drop TestNextStaysOnTheSite
		if r <= ' ' || r == '\\' || r > '~' { // a well-formed address is ASCII
			return false
		}
	}
	u, err := url.Parse(address)
	return err == nil && u.Scheme == "" && u.Host == "" && u.User == nil
}
