package session

import (
	"crypto/hmac"
	"encoding/base64"
	"strings"
	"time"
)

// Where a visitor wanted to go before the login came between waits in their
// browser, sealed: whoever asks for a page without being signed in makes no row.
const nextCookie = "next"

func (s *Session) keepNext(address string) {
	if s.sessions != nil {
		s.keep(nextCookie, base64.RawURLEncoding.EncodeToString(append(s.sessions.sealNext(address), address...)), int(Idle/time.Second))
	}
}

// TakeNext gives, once, the address that the visitor wanted before the login
// came between, otherwise the given one.
func (s *Session) TakeNext(otherwise string) string {
	if s.sessions == nil {
		return otherwise
	}
	for _, cookie := range s.c.Request().CookiesNamed(s.cookie(nextCookie)) {
		s.forgetNext()
		value, err := base64.RawURLEncoding.DecodeString(cookie.Value)
		if err != nil || len(value) < sealBytes {
			continue
		}
		if next := string(value[sealBytes:]); hmac.Equal(value[:sealBytes], s.sessions.sealNext(next)) && safe(next) {
			return next
		}
	}
	return otherwise
}

func (s *Session) forgetNext() {
	if s.sessions != nil && strings.Contains(s.c.Request().Header.Get("Cookie"), s.cookie(nextCookie)+"=") {
		s.keep(nextCookie, "", -1)
	}
}

// sealNext is over what no token is: a word comes first.
func (s *Sessions) sealNext(address string) []byte { return s.seal([]byte("next " + address)) }
