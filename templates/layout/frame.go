// Package layout is the frame of every page: head, brand, navigation, language
// switch, flash notice, error summary and footer.
//
// It promises the same frame in the same places on every page, a page that
// works without scripts, and no inline script or style. It decides nothing:
// who is signed in, which language and what went wrong come in Frame.
package layout

import (
	"net/url"
	"strings"

	"elsom/internal/i18n"
	"elsom/templates/component"
)

// Frame is what a door tells the frame about the request; every page's struct
// embeds one.
type Frame struct {
	// Lang is the language of the page. The zero value is Russian.
	Lang i18n.Lang
	// CSRF is this answer's form token; it stands in each form as "csrf".
	CSRF string
	// Path is the page's own address with its query, one that can be got
	// ("/history?direction=in"); the language links add lang to it.
	Path string
	// Person is the signed-in person's phone as people read it; empty: nobody.
	Person string
	// Flash is a notice kept from the step before; empty: none.
	Flash string
	// Note is what a visitor is told of a session that ended; empty: nothing.
	Note string
	// Problem says what went wrong with the whole act, in words for the
	// person; it heads the error summary. Problems of one field stand at it.
	Problem string
	// Way is a link below the error summary, to where more can be read; empty: none.
	Way component.Way
	// Refresh asks the browser to get the page again in so many seconds; 0: no.
	Refresh int
	// IdleSeconds is how long the session lives from now without a request;
	// the page warns a minute before. 0: no warning.
	IdleSeconds int
	// Dev adds the links to the handset and the terminal of development.
	Dev bool
	// Installable: the door has the manifest and the worker of the application.
	Installable bool
	// RequestID is what a person can name to the call centre; error pages show it.
	RequestID string
}

// LeadTo puts a link below the error summary.
func (f *Frame) LeadTo(href, words string) { f.Way = component.Way{Href: href, Text: words} }

// SwitchTo gives the page's own address with the language asked for.
func (f Frame) SwitchTo(l i18n.Lang) string {
	path, query, _ := strings.Cut(f.Path, "?")
	if !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") {
		path, query = "/", ""
	}
	values, err := url.ParseQuery(query)
	if err != nil {
		values = url.Values{}
	}
	values.Set("lang", string(l))
	return path + "?" + values.Encode()
}

// Language is Lang, Russian where it is not set.
func (f Frame) Language() i18n.Lang {
	if f.Lang == "" {
		return i18n.RU
	}
	return f.Lang
}

// T is the text of key in the page's language.
func (f Frame) T(key string, args ...i18n.Args) string { return f.Language().T(key, args...) }
