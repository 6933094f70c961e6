package session

import (
	"time"

	"elsom/internal/i18n"
)

const (
	langCookie   = "lang"
	choiceCookie = "lang_choice"
	defaultLang  = string(i18n.RU)
)

// Lang returns the language of the request: the one switched to in this request,
// else the customer's, else the browser cookie's, else Russian.
func (s *Session) Lang() string {
	if s.lang != "" {
		return s.lang
	}
	if holder, ok := s.Customer(); ok {
		return holder.Lang
	}
	if lang := s.langIn(langCookie); lang != "" {
		return lang
	}
	return defaultLang
}

// SetLang stores the language in the browser for a year. The caller stores it with
// a signed-in customer.
func (s *Session) SetLang(lang string) {
	if !i18n.Valid(lang) {
		return
	}
	s.lang = lang
	s.setCookie(langCookie, lang, 365*24*60*60)
	if _, ok := s.Customer(); !ok {
		s.setCookie(choiceCookie, lang, int(Idle/time.Second))
	}
}

// ShowIn sets the language of this response only.
func (s *Session) ShowIn(lang string) {
	if i18n.Valid(lang) {
		s.lang = lang
	}
}

// TakeChoice returns the language that was switched to shortly before a login, and
// removes it; empty if there was none. It is newer than the customer's stored
// language, whereas the browser's language may be another person's choice.
func (s *Session) TakeChoice() string {
	lang := s.langIn(choiceCookie)
	if lang != "" {
		s.setCookie(choiceCookie, "", -1)
	}
	return lang
}

// langIn returns the language stored in a cookie; empty if there is none.
func (s *Session) langIn(name string) string {
	if s.c == nil {
		return ""
	}
	for _, name := range []string{hostPrefix + name, name} {
		if cookie, err := s.c.Cookie(name); err == nil && i18n.Valid(cookie.Value) {
			return cookie.Value
		}
	}
	return ""
}
