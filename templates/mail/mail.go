// Package mail has the HTML of e-mails.
//
// It is one page for all of them, without pictures, links to other sites or anything that
// reports that it was read. Mail programs read its style sheet from the page itself.
package mail

import "elsom/internal/i18n"

// Letter is an e-mail.
type Letter struct {
	Lang    i18n.Lang
	Subject string
	// Paragraphs are its texts; the one that is Code is shown large. Facts follow the
	// first.
	Paragraphs []string
	Code       string
	Facts      []Fact
	// Site is the address of the portal.
	Site string
}

// Fact is a label with its value.
type Fact struct{ Label, Value string }
