package session

import (
	"crypto/hmac"
	"encoding/base64"
	"strings"
	"time"

	"elsom/internal/keyedhash"
)

// Values for the next pages of a visitor without a session are stored in signed
// cookies, so that such requests create no row.
const (
	// nextCookie is the address to return to after the login.
	nextCookie = "next"
	// noteCookie is a note for the login page.
	noteCookie = "note"
)

// noteLife is long enough for the pages on the way to the login, and for requests
// of scripts in between.
const noteLife = 5 * time.Minute

func (s *Session) setNext(address string) { s.setSigned(nextCookie, address, Idle) }

// TakeNext returns the address that was requested before the login, and removes it;
// fallback if there is none.
func (s *Session) TakeNext(fallback string) string {
	next := s.signed(nextCookie)
	s.removeCookie(nextCookie)
	if next == "" || !isLocal(next) {
		return fallback
	}
	return next
}

// SetNote stores a note until the next login or logout.
func (s *Session) SetNote(note string) { s.setSigned(noteCookie, note, noteLife); s.note = note }

// Note returns the stored note; empty if there is none.
func (s *Session) Note() string {
	if s.note != "" {
		return s.note
	}
	return s.signed(noteCookie)
}

func (s *Session) setSigned(name, value string, life time.Duration) {
	if s.sessions != nil {
		s.setCookie(name, base64.RawURLEncoding.EncodeToString(append(valueMAC(s.sessions.cookieKeys.Current(), name, value), value...)), int(life/time.Second))
	}
}

// signed returns the value of a cookie with a valid MAC, otherwise empty.
func (s *Session) signed(name string) string {
	if s.sessions == nil {
		return ""
	}
	for _, cookie := range s.c.Request().CookiesNamed(s.cookieName(name)) {
		raw, err := base64.RawURLEncoding.DecodeString(cookie.Value)
		if err != nil || len(raw) < macBytes {
			continue
		}
		value := string(raw[macBytes:])
		//mutant:replace valueMAC(key, name, value) => cookieMAC(key, []byte(value)) TestNextRejectsForeignCookies
		if s.sessions.cookieKeys.Any(func(key keyedhash.Key) bool { return hmac.Equal(raw[:macBytes], valueMAC(key, name, value)) }) {
			return value
		}
	}
	return ""
}

func (s *Session) removeCookie(name string) {
	if s.sessions != nil && strings.Contains(s.c.Request().Header.Get("Cookie"), s.cookieName(name)+"=") {
		s.setCookie(name, "", -1)
	}
}

// valueMAC is computed over the value and its cookie's name, so that it is valid for
// nothing else.
func valueMAC(key keyedhash.Key, name, value string) []byte {
	return cookieMAC(key, []byte(name+" "+value))
}
