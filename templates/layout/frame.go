// Package layout renders the frame of every page: head, brand, navigation, language
// switch, flash message, error summary and footer.
//
// The frame is the same on every page, works without scripts, and has no inline
// script or style. It contains no decisions: the customer, the language and the
// errors come in Frame.
package layout

import (
	"net/url"
	"strings"

	"elsom/internal/i18n"
	"elsom/templates/component"
)

// Frame has the frame's data of one request. Every page's struct embeds one.
type Frame struct {
	// Lang is the language of the page. The zero value is Russian.
	Lang i18n.Lang
	// CSRF is the form token of this response, the field "csrf" of each form.
	CSRF string
	// Path is the page's address with its query ("/history?direction=in"); the
	// language links add lang to it.
	Path string
	// Person is the signed-in customer's number in readable form; empty for a visitor.
	Person string
	// Flash is a message from the previous request; empty: none.
	Flash string
	// Note is the text about a session that has ended; empty: none.
	Note string
	// Problem is the message of an error that belongs to no field. It is the first
	// of the error summary.
	Problem string
	// Link is shown below the error summary; zero: none.
	Link component.Link
	// Refresh is the number of seconds after which the page reloads; 0: never.
	Refresh int
	// IdleSeconds is when the session ends without another request; the page warns a
	// minute before. 0: no warning.
	IdleSeconds int
	// Dev adds the links to the handset and terminal of development mode.
	Dev bool
	// Installable reports that there is a manifest and a service worker.
	Installable bool
	// RequestID is shown on error pages, for questions to the call center.
	RequestID string
}

// AddLink shows a link below the error summary.
func (f *Frame) AddLink(href, text string) { f.Link = component.Link{Href: href, Text: text} }

// SwitchTo returns the page's address with another language.
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

// Language returns Lang; Russian if it is not set.
func (f Frame) Language() i18n.Lang {
	if f.Lang == "" {
		return i18n.RU
	}
	return f.Lang
}

// T returns the message of key in the page's language.
func (f Frame) T(key string, args ...i18n.Args) string { return f.Language().T(key, args...) }
