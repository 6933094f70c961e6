package session

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"strings"
	"time"

	"github.com/gorilla/sessions"
)

// The cookie holds 32 random bytes and a seal over them, by which a token that
// this server never gave away is told without asking the database.
const (
	tokenBytes = 32
	sealBytes  = 16
)

// hostPrefix is that by which browsers guard a cookie against other hosts; they
// refuse it without TLS.
const hostPrefix = "__Host-"

// cookieName is the session's.
func (s *Sessions) cookieName() string {
	if s.secure {
		return hostPrefix + "elsom"
	}
	return "elsom"
}

func newToken() []byte {
	token := make([]byte, tokenBytes)
	_, _ = rand.Read(token) // never fails: crypto/rand ends the process instead
	return token
}

// keyOf is what the database and the codes know of a token.
func keyOf(token []byte) string {
	sum := sha256.Sum256(token)
	//mutant:replace return hex.EncodeToString(sum[:]) => _ = sum; return hex.EncodeToString(token) TestVisitorsHaveACookieAndNoRow
	return hex.EncodeToString(sum[:])
}

func (s *Sessions) seal(token []byte) []byte {
	mac := hmac.New(sha256.New, s.cookieKey)
	mac.Write(token)
	return mac.Sum(nil)[:sealBytes]
}

func (s *Sessions) cookieValue(token []byte) string {
	return base64.RawURLEncoding.EncodeToString(append(token[:len(token):len(token)], s.seal(token)...))
}

// tokenOf gives the token of the request's cookie; nil where there is none of
// ours.
func (s *Sessions) tokenOf(r *http.Request, name string) []byte {
	for _, cookie := range r.CookiesNamed(name) {
		value, err := base64.RawURLEncoding.DecodeString(cookie.Value)
		if err != nil || len(value) != tokenBytes+sealBytes {
			continue
		}
		//mutant:replace hmac.Equal(value[tokenBytes:], s.seal(token)) => len(s.seal(token)) > 0 TestPlantedCookie
		if token := value[:tokenBytes]; hmac.Equal(value[tokenBytes:], s.seal(token)) {
			return token
		}
	}
	return nil
}

// cookieOptions let the cookie end with the browser; the server ends the
// session earlier.
func (s *Sessions) cookieOptions() *sessions.Options {
	//mutant:replace HttpOnly: true, => ./web TestHeadersOfEveryAnswer
	return &sessions.Options{Path: "/", Secure: s.secure, HttpOnly: true, SameSite: http.SameSiteLaxMode}
}

// deviceCookie stays in a browser in which somebody logged in, so that its
// owner isn't kept out by guesses that others make behind the same address. It
// opens nothing by itself.
const deviceCookie = "elsom_device"

// Device names the browser: the hash of a secret that it keeps from the next
// login on.
func (s *Session) Device() string {
	if s.sessions == nil {
		return ""
	}
	if s.device == nil {
		s.device = s.sessions.tokenOf(s.c.Request(), s.cookie(deviceCookie))
	}
	if s.device == nil {
		s.device = newToken()
	}
	return keyOf(s.device)
}

// keepDevice keeps it for ninety days more.
func (s *Session) keepDevice() {
	s.Device()
	s.keep(deviceCookie, s.sessions.cookieValue(s.device), 90*24*60*60)
}

// pageCookie changes with each response to a signed-in browser. Chromium keeps
// even no-store pages in its back-forward cache, but restores one only if no
// HttpOnly cookie of the site has changed since. So Back never shows an old
// balance or button, even without scripts.
const pageCookie = "elsom_page"

func (s *Session) markPage() {
	if _, signedIn := s.Customer(); signedIn {
		s.keep(pageCookie, rand.Text()[:8], int(Idle/time.Second))
	}
}

// setCookie sets a cookie in the place of one of that name that the answer
// would have set.
func setCookie(w http.ResponseWriter, cookie *http.Cookie) {
	lines := w.Header().Values("Set-Cookie")
	w.Header().Del("Set-Cookie")
	for _, line := range lines {
		if !strings.HasPrefix(line, cookie.Name+"=") {
			w.Header().Add("Set-Cookie", line)
		}
	}
	http.SetCookie(w, cookie)
}
