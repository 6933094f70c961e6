package i18n

import (
	"regexp"
	"slices"
	"strings"

	goi18n "github.com/nicksnyder/go-i18n/v2/i18n"
)

// In Russian typography a line ends neither with a word of one or two letters
// nor before a dash.
var (
	shortWord  = regexp.MustCompile(`(^|[\s\x{00a0}(«„])(\p{L}{1,2}) `)
	beforeDash = strings.NewReplacer(" —", "\u00a0—", " –", "\u00a0–")
)

// noBreakRussian puts no-break spaces where a line of Russian must not end.
func noBreakRussian(text string) string {
	for range 2 { // two short words in a row share a space
		text = shortWord.ReplaceAllString(text, "$1$2\u00a0")
	}
	return beforeDash.Replace(text)
}

// Matches of what stays on one line: a space within an amount, a number as it is
// dialed, and an amount with its currency.
var (
	thousands = regexp.MustCompile(`(\d) (\d{3})\b`)
	telephone = regexp.MustCompile(`\b(0\d{3}) (\d{3}) (\d{3})\b`)
	currency  = regexp.MustCompile(`(\d|}}) (сом|som)`)
	names     = strings.NewReplacer("DosTek group", "DosTek\u00a0group")
)

// NoBreak keeps amounts, telephone numbers and names in a text that was sent on one line
// each.
func NoBreak(text string) string {
	for range 2 { // two spaces share the digits between them
		text = thousands.ReplaceAllString(text, "$1\u00a0$2")
	}
	return joined(text)
}

func joined(text string) string {
	text = telephone.ReplaceAllString(text, "$1\u00a0$2\u00a0$3")
	return names.Replace(currency.ReplaceAllString(text, "$1\u00a0$2"))
}

// withNoBreakSpaces puts no-break spaces into the messages of a file and
// returns those it may change: in messages for pages telephone numbers, names and
// amounts, and in Russian running text everything. SMS, USSD, e-mail and push texts
// stay as they are.
func withNoBreakSpaces(file string, messages []*goi18n.Message) []*goi18n.Message {
	running := slices.ContainsFunc([]string{"portal", "receipt", "template", "errors", "offer", "frame"}, func(topic string) bool {
		return file == "messages/"+topic+".ru.toml"
	})
	var changed []*goi18n.Message
	for _, m := range messages {
		if topic, _, _ := strings.Cut(m.ID, "."); topic == "sms" || topic == "ussd" || topic == "email" || topic == "push" || m.Other == "" {
			continue
		}
		for _, text := range []*string{&m.One, &m.Few, &m.Many, &m.Other} {
			if running && strings.HasSuffix(m.Other, ".") {
				*text = noBreakRussian(*text)
			}
			*text = joined(*text)
		}
		changed = append(changed, m)
	}
	return changed
}
