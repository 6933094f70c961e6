// Package i18n speaks to people in Russian, Kyrgyz and English.
//
// Messages stand in messages/<topic>.<language>.toml. It promises that a key
// known in one language is known in all three (a test holds it), and that
// amounts are printed with their groups. It never decides which language a
// person wants.
package i18n

import (
	"embed"
	"fmt"
	"io/fs"
	"sync"

	"github.com/BurntSushi/toml"
	goi18n "github.com/nicksnyder/go-i18n/v2/i18n"
	"golang.org/x/text/language"
)

// Lang is a language of people, by its ISO 639-1 code.
type Lang string

// The three languages. Russian is the default.
const (
	RU Lang = "ru"
	KY Lang = "ky"
	EN Lang = "en"
)

// Langs lists the languages in the order in which switches show them.
func Langs() []Lang { return []Lang{KY, RU, EN} }

// Parse gives the language of a code, and whether it is one of the three.
func Parse(code string) (Lang, bool) {
	for _, l := range Langs() {
		if code == string(l) {
			return l, true
		}
	}
	return RU, false
}

// Name is how the language calls itself.
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

type speakers struct {
	bundle *goi18n.Bundle
	of     map[Lang]*goi18n.Localizer
}

var load = sync.OnceValues(func() (*speakers, error) {
	bundle := goi18n.NewBundle(language.Russian)
	bundle.RegisterUnmarshalFunc("toml", toml.Unmarshal)
	names, err := fs.Glob(files, "messages/*.toml")
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		file, err := bundle.LoadMessageFileFS(files, name)
		if err != nil {
			return nil, fmt.Errorf("i18n: %s: %w", name, err)
		}
		if err := bundle.AddMessages(file.Tag, keptWhole(name, file.Messages)...); err != nil {
			return nil, fmt.Errorf("i18n: %s: %w", name, err)
		}
	}
	s := &speakers{bundle: bundle, of: map[Lang]*goi18n.Localizer{}}
	for _, l := range Langs() {
		s.of[l] = goi18n.NewLocalizer(bundle, string(l))
	}
	return s, nil
})

// Check reports what is wrong with the embedded messages, if anything.
func Check() error { _, err := load(); return err }

// Args fills placeholders: {{.Name}} in the message, name → value here. The
// argument "Count" also picks the plural form.
type Args map[string]any

// T gives the text of key in the language. A key that is not there comes back
// in angle brackets, so that it is seen and a page still shows.
func (l Lang) T(key string, args ...Args) string {
	s, err := load()
	if err != nil {
		return "⟨" + key + "⟩"
	}
	speaker, ok := s.of[l]
	if !ok {
		speaker = s.of[RU]
	}
	config := &goi18n.LocalizeConfig{MessageID: key}
	if len(args) > 0 {
		config.TemplateData = map[string]any(args[0])
		config.PluralCount = args[0]["Count"]
	}
	text, err := speaker.Localize(config)
	if err != nil || text == "" {
		return "⟨" + key + "⟩"
	}
	return text
}
