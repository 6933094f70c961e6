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

	"elsom/internal/keyedhash"
)

// The cookie holds 32 random bytes and a MAC over them. A token that this server
// did not issue is rejected without a database query.
const (
	tokenBytes = 32
	macBytes   = 16
)

// hostPrefix makes browsers accept a cookie only from this host and over TLS.
const hostPrefix = "__Host-"

// cookieName returns the name of the session cookie.
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

// keyOf returns the hash of a token, which identifies the session in the database.
func keyOf(token []byte) string {
	sum := sha256.Sum256(token)
	//mutant:replace return hex.EncodeToString(sum[:]) => _ = sum; return hex.EncodeToString(token) TestVisitorHasCookieAndNoRow
	return hex.EncodeToString(sum[:])
}

func cookieMAC(key keyedhash.Key, data []byte) []byte { return key.MAC(data)[:macBytes] }

func (s *Sessions) cookieValue(token []byte) string {
	mac := cookieMAC(s.cookieKeys.Current(), token)
	return base64.RawURLEncoding.EncodeToString(append(token[:len(token):len(token)], mac...))
}

// tokenOf returns the token in the request's cookie; nil without a valid cookie.
// stale reports that its MAC was made with a previous key.
func (s *Sessions) tokenOf(r *http.Request, name string) (token []byte, stale bool) {
	for _, cookie := range r.CookiesNamed(name) {
		value, err := base64.RawURLEncoding.DecodeString(cookie.Value)
		if err != nil || len(value) != tokenBytes+macBytes {
			continue
		}
		token := value[:tokenBytes]
		for i, key := range s.cookieKeys {
			//mutant:replace hmac.Equal(value[tokenBytes:], cookieMAC(key, token)) => len(cookieMAC(key, token)) > 0 TestPlantedCookieIsReplaced
			if hmac.Equal(value[tokenBytes:], cookieMAC(key, token)) {
				return token, i > 0
			}
		}
	}
	return nil, false
}

// cookieOptions returns a cookie without an expiry: it lasts until the browser is
// closed, and the server ends the session earlier.
func (s *Sessions) cookieOptions() *sessions.Options {
	//mutant:replace HttpOnly: true, => ./web TestHeadersOfEveryResponse
	//mutant:replace Secure: s.secure => Secure: false TestCookieOverTLS
	//mutant:replace SameSiteLaxMode => SameSiteNoneMode TestCookieOverTLS
	return &sessions.Options{Path: "/", Secure: s.secure, HttpOnly: true, SameSite: http.SameSiteLaxMode}
}

// deviceCookie identifies a browser in which a customer has logged in before. Rate
// limits count such a browser separately from others at its address, so that their
// guesses don't lock it out. It grants no access.
const deviceCookie = "elsom_device"

// Device identifies the browser by the hash of its device cookie's token, which is
// set at the next login.
func (s *Session) Device() string {
	if s.sessions == nil {
		return ""
	}
	if s.device == nil {
		s.device, _ = s.sessions.tokenOf(s.c.Request(), s.cookieName(deviceCookie))
	}
	if s.device == nil {
		s.device = newToken()
	}
	return keyOf(s.device)
}

// DeviceOf is Device of a request's cookie; empty without a valid one.
func (s *Sessions) DeviceOf(r *http.Request) string {
	name := deviceCookie
	if s.secure {
		name = hostPrefix + deviceCookie
	}
	token, _ := s.tokenOf(r, name)
	if token == nil {
		return ""
	}
	return keyOf(token)
}

// setDeviceCookie renews the device cookie for ninety days.
func (s *Session) setDeviceCookie() {
	s.Device()
	s.setCookie(deviceCookie, s.sessions.cookieValue(s.device), 90*24*60*60)
}

// renewDeviceCookie renews a device cookie that was made with a previous key, so that
// the browser stays familiar without that key.
func (s *Session) renewDeviceCookie() {
	if len(s.sessions.cookieKeys) == 1 {
		return
	}
	//mutant:replace ; stale { => ; stale && false { TestCookiesAreMadeAnewWithTheNextKey
	if token, stale := s.sessions.tokenOf(s.c.Request(), s.cookieName(deviceCookie)); stale {
		s.device = token
		s.setDeviceCookie()
	}
}

// pageCookie changes with each response to a signed-in browser. Chromium keeps
// even no-store pages in its back-forward cache, but restores one only if no
// HttpOnly cookie of the site has changed since. So Back never shows an old
// balance or button, even without scripts.
const pageCookie = "elsom_page"

func (s *Session) setPageCookie() {
	if _, signedIn := s.Customer(); signedIn {
		s.setCookie(pageCookie, rand.Text()[:8], int(Idle/time.Second))
	}
}

// setCookie sets a cookie and removes one of the same name from the response.
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
