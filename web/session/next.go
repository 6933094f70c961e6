package session

import (
	"crypto/hmac"
	"encoding/base64"
	"strings"
	"time"
)

// What a visitor without a session needs on the next pages waits in their
// browser, sealed: a request of a stranger makes no row.
const (
	// nextCookie is where they wanted to go before the login came between.
	nextCookie = "next"
	// noteCookie is what the login page says to them.
	noteCookie = "note"
)

// noteLife lets a note outlive the pages on the way to the login, and a request
// that a script made in between.
const noteLife = 5 * time.Minute

func (s *Session) keepNext(address string) { s.keepSealed(nextCookie, address, Idle) }

// TakeNext gives, once, the address that the visitor wanted before the login
// came between, otherwise the given one.
func (s *Session) TakeNext(otherwise string) string {
	next := s.sealed(nextCookie)
	s.forget(nextCookie)
	if next == "" || !safe(next) {
		return otherwise
	}
	return next
}

// SetNote keeps a note for the pages up to the next login or logout.
func (s *Session) SetNote(note string) { s.keepSealed(noteCookie, note, noteLife); s.note = note }

// Note returns the note that was kept; empty where there is none.
func (s *Session) Note() string {
	if s.note != "" {
		return s.note
	}
	return s.sealed(noteCookie)
}

func (s *Session) keepSealed(name, value string, life time.Duration) {
	if s.sessions != nil {
		s.keep(name, base64.RawURLEncoding.EncodeToString(append(s.sessions.sealValue(name, value), value...)), int(life/time.Second))
	}
}

// sealed returns the value of a cookie of ours; empty where there is none.
func (s *Session) sealed(name string) string {
	if s.sessions == nil {
		return ""
	}
	for _, cookie := range s.c.Request().CookiesNamed(s.cookie(name)) {
		raw, err := base64.RawURLEncoding.DecodeString(cookie.Value)
		if err != nil || len(raw) < sealBytes {
			continue
		}
		if value := string(raw[sealBytes:]); hmac.Equal(raw[:sealBytes], s.sessions.sealValue(name, value)) {
			return value
		}
	}
	return ""
}

func (s *Session) forget(name string) {
	if s.sessions != nil && strings.Contains(s.c.Request().Header.Get("Cookie"), s.cookie(name)+"=") {
		s.keep(name, "", -1)
	}
}

// sealValue is over what no token is: the cookie's name comes first.
func (s *Sessions) sealValue(name, value string) []byte { return s.seal([]byte(name + " " + value)) }
