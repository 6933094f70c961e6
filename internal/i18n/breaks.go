package i18n

import (
	"regexp"
	"slices"
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

// NoBreakAmounts keeps the sums in a text that was written elsewhere, an SMS, on one
// line each.
func NoBreakAmounts(text string) string {
	for range 2 { // two spaces share the digits between them
		text = thousands.ReplaceAllString(text, "$1\u00a0$2")
	}
	return text
}

// telephone is a number as a person dials it.
var telephone = regexp.MustCompile(`\b(0\d{3}) (\d{3}) (\d{3})\b`)

// keptWhole gives those messages of a file whose lines are broken with care:
// telephone numbers everywhere on pages, and the rest of Russian in running
// text. Controls and states, which others look for letter by letter, keep their
// words' spaces, and SMS, screens of *900# and letters all that is written.
func keptWhole(file string, messages []*goi18n.Message) []*goi18n.Message {
	running := slices.ContainsFunc([]string{"portal", "errors", "offer", "frame"}, func(topic string) bool {
		return file == "messages/"+topic+".ru.toml"
	})
	var bound []*goi18n.Message
	for _, m := range messages {
		if topic, _, _ := strings.Cut(m.ID, "."); topic == "sms" || topic == "ussd" || topic == "email" || m.Other == "" {
			continue
		}
		for _, text := range []*string{&m.One, &m.Few, &m.Many, &m.Other} {
			if running && strings.HasSuffix(m.Other, ".") {
				*text = bind(*text)
			}
			*text = telephone.ReplaceAllString(*text, "$1\u00a0$2\u00a0$3")
		}
		bound = append(bound, m)
	}
	return bound
}
