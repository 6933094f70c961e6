package web_test

import (
	"net/url"
	"regexp"
)

var (
	digits = regexp.MustCompile(`\b\d{6}\b`)
	number = regexp.MustCompile(`\+996\s?\d{3}\s?\d{3}\s?\d{3}`)
)

// masked is what a page says, without the number that it says it of.
func masked(b *browser) string { return number.ReplaceAllString(b.text(), "+996") }

// form is a post of the page's token and these fields.
func form(b *browser, pairs ...string) url.Values {
	values := url.Values{"csrf": {b.csrf()}}
	for i := 0; i < len(pairs); i += 2 {
		values.Add(pairs[i], pairs[i+1])
	}
	return values
}
