package i18n

import (
	"regexp"
	"strings"

	goi18n "github.com/nicksnyder/go-i18n/v2/i18n"
)

// Russian typography: a line ends neither with a word of one or two letters
// nor before a dash.
var (
	shortWord  = regexp.MustCompile(`(^|[\s\x{00a0}(«„])(\p{L}{1,2}) `)
	beforeDash = strings.NewReplacer(" —", "\u00a0—")
)

// bind puts no-break spaces where a line of Russian may not end.
func bind(text string) string {
	for range 2 { // two short words in a row share a space
		text = shortWord.ReplaceAllString(text, "$1$2\u00a0")
	}
	return beforeDash.Replace(text)
}

// thousands is a space within a sum.
var thousands = regexp.MustCompile(`(\d) (\d{3})`)

// Whole keeps the sums in a text that was written elsewhere, an SMS, on one
// line each.
func Whole(text string) string {
	for range 2 { // two spaces share the digits between them
		text = thousands.ReplaceAllString(text, "$1\u00a0$2")
	}
	return text
}

// keptWhole gives those messages of a file whose lines are broken with care:
// the running text of pages. Controls, states and the words of SMS and
// letters, which others look for letter by letter, stay as they are written.
func keptWhole(file string, messages []*goi18n.Message) []*goi18n.Message {
	var bound []*goi18n.Message
	for _, topic := range []string{"portal", "errors", "offer", "frame"} {
		if file != "messages/"+topic+".ru.toml" {
			continue
		}
		for _, m := range messages {
			if m.Other != "" && strings.HasSuffix(m.Other, ".") {
				m.One, m.Few, m.Many, m.Other = bind(m.One), bind(m.Few), bind(m.Many), bind(m.Other)
				bound = append(bound, m)
			}
		}
	}
	return bound
}
