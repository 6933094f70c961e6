// Package i18n renders the texts for people in Kyrgyz, Russian and English.
//
// Messages are in messages/<topic>.<language>.toml. A key that one language has
// all three have (checked by a test). The package never chooses the language of
// a person.
package i18n

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"strings"
	"sync"

	"github.com/BurntSushi/toml"
	goi18n "github.com/nicksnyder/go-i18n/v2/i18n"
	"golang.org/x/text/language"
)

// Lang is a language by its ISO 639-1 code.
type Lang string

// The languages. Russian is the default.
const (
	RU Lang = "ru"
	KY Lang = "ky"
	EN Lang = "en"
)

// Langs returns the languages in the order in which switches show them.
func Langs() []Lang { return []Lang{KY, RU, EN} }

// Parse returns the language of a code and whether it is one of Langs. For any
// other code the language is Russian.
func Parse(code string) (Lang, bool) {
	for _, l := range Langs() {
		if code == string(l) {
			return l, true
		}
	}
	return RU, false
}

// Valid reports whether a code is that of one of Langs.
func Valid(code string) bool {
	_, ok := Parse(code)
	return ok
}

// Name returns the language's name for itself.
func (l Lang) Name() string {
	switch l {
	case KY:
		return "Кыргызча"
	case EN:
		return "English"
	}
	return "Русский"
}

//go:embed messages/*.toml
var files embed.FS

type catalog struct {
	bundle     *goi18n.Bundle
	localizers map[Lang]*goi18n.Localizer
	// fixed are the texts of messages without placeholders and plural forms, by key.
	fixed map[Lang]map[string]string
}

var load = sync.OnceValues(func() (*catalog, error) {
	bundle := goi18n.NewBundle(language.Russian)
	bundle.RegisterUnmarshalFunc("toml", toml.Unmarshal)
	c := &catalog{bundle: bundle, localizers: map[Lang]*goi18n.Localizer{}, fixed: map[Lang]map[string]string{}}
	names, err := fs.Glob(files, "messages/*.toml")
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		file, err := bundle.LoadMessageFileFS(files, name)
		if err != nil {
			return nil, fmt.Errorf("i18n: %s: %w", name, err)
		}
		messages := withNoBreakSpaces(name, file.Messages)
		if err := bundle.AddMessages(file.Tag, messages...); err != nil {
			return nil, fmt.Errorf("i18n: %s: %w", name, err)
		}
		c.addFixed(Lang(file.Tag.String()), messages)
	}
	for _, l := range Langs() {
		c.localizers[l] = goi18n.NewLocalizer(bundle, string(l))
	}
	return c, nil
})

// addFixed adds the texts of the messages that are the same for any arguments.
func (c *catalog) addFixed(l Lang, messages []*goi18n.Message) {
	if c.fixed[l] == nil {
		c.fixed[l] = map[string]string{}
	}
	for _, m := range messages {
		plural := m.Zero + m.One + m.Two + m.Few + m.Many
		//mutant:replace strings.Contains(m.Other, "{{") => false TestArgumentsAndPlurals
		if plural == "" && !strings.Contains(m.Other, "{{") {
			c.fixed[l][m.ID] = m.Other
		}
	}
}

// Check returns an error if the embedded messages cannot be read.
func Check() error { _, err := load(); return err }

// Args are the values of placeholders: {{.Name}} in a message is Args["Name"].
// The argument "Count" also selects the plural form.
type Args map[string]any

// Errors of Text.
var (
	ErrNoMessage  = errors.New("i18n: no such message")
	ErrNoArgument = errors.New("i18n: an argument of the message is missing")
)

// Text renders a message in the language. The error is ErrNoMessage or
// ErrNoArgument; with the latter the text is returned too, with "<no value>" in
// place of the argument.
func (l Lang) Text(key string, args ...Args) (string, error) {
	c, err := load()
	if err != nil {
		return "", err
	}
	if text := c.fixed[l][key]; text != "" {
		return text, nil
	}
	localizer, ok := c.localizers[l]
	if !ok {
		localizer = c.localizers[RU]
	}
	config := &goi18n.LocalizeConfig{MessageID: key}
	if len(args) > 0 {
		config.TemplateData = map[string]any(args[0])
		config.PluralCount = args[0]["Count"]
	}
	text, err := localizer.Localize(config)
	switch {
	case err != nil || text == "":
		return "", fmt.Errorf("%w: %s", ErrNoMessage, key)
	case strings.Contains(text, "<no value>"):
		return text, fmt.Errorf("%w: %s", ErrNoArgument, key)
	}
	return text, nil
}

// T is Text for pages, which are shown in any case: an error is logged, and a
// message that does not exist is returned as its key in angle brackets.
func (l Lang) T(key string, args ...Args) string {
	text, err := l.Text(key, args...)
	if err == nil {
		return text
	}
	slog.Error("i18n: text not rendered", "lang", l, "key", key, "error", err)
	if text == "" {
		return "⟨" + key + "⟩"
	}
	return text
}

// Render renders a message that leaves the application (SMS, e-mail, push), for
// which nothing may be missing. The language is a code as Parse takes it.
func Render(lang, key string, args map[string]string) (string, error) {
	values := make(Args, len(args))
	for name, value := range args {
		values[name] = value
	}
	l, _ := Parse(lang)
	text, err := l.Text(key, values)
	if err != nil {
		return "", err
	}
	return text, nil
}
