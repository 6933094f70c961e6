package session

import (
	"crypto/hmac"
	"encoding/base64"
	"strings"
	"time"
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

// SetNote stores a note until the next login or logout.
func (s *Session) SetNote(note string) { s.keepSealed(noteCookie, note, noteLife); s.note = note }

// Note returns the stored note; empty if there is none.
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

// sealed returns the value of a cookie with a valid signature, otherwise empty.
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

// sealValue signs a value together with its cookie's name, so that the signature is
// valid for nothing else.
func (s *Sessions) sealValue(name, value string) []byte { return s.seal([]byte(name + " " + value)) }
