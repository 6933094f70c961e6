package i18n

import (
	"bytes"
	"errors"
	"io/fs"
	"log/slog"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"
)

// message is a text of one language: by plural form, "" where it has none.
type message map[string]string

// The plural forms that each language must have, by CLDR.
var forms = map[Lang][]string{
	RU: {"few", "many", "one", "other"},
	KY: {"one", "other"},
	EN: {"one", "other"},
}

var pluralForms = []string{"zero", "one", "two", "few", "many", "other"}

// messagesOf reads all messages of a language from the files.
func messagesOf(t *testing.T, lang Lang) map[string]message {
	t.Helper()
	all := map[string]message{}
	for _, name := range topics(t, lang) {
		content, err := files.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var tree map[string]any
		if err := toml.Unmarshal(content, &tree); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		collect(t, name, "", tree, all)
	}
	return all
}

func topics(t *testing.T, lang Lang) []string {
	t.Helper()
	names, err := fs.Glob(files, "messages/*."+string(lang)+".toml")
	if err != nil || len(names) == 0 {
		t.Fatalf("messages of %s: %v, %v", lang, names, err)
	}
	return names
}

func collect(t *testing.T, file, prefix string, tree map[string]any, all map[string]message) {
	t.Helper()
	put := func(key string, m message) {
		if _, twice := all[key]; twice {
			t.Errorf("%s: duplicate key %s", file, key)
		}
		all[key] = m
	}
	if isPlural(tree) {
		m := message{}
		for form, text := range tree {
			m[form], _ = text.(string)
		}
		put(strings.TrimSuffix(prefix, "."), m)
		return
	}
	for name, value := range tree {
		switch value := value.(type) {
		case string:
			put(prefix+name, message{"": value})
		case map[string]any:
			collect(t, file, prefix+name+".", value, all)
		default:
			t.Errorf("%s: %s%s is %T, want a text", file, prefix, name, value)
		}
	}
}

func isPlural(tree map[string]any) bool {
	for name, value := range tree {
		if _, text := value.(string); !text || !slices.Contains(pluralForms, name) {
			return false
		}
	}
	return tree["other"] != nil
}

func TestMessagesLoad(t *testing.T) {
	if err := Check(); err != nil {
		t.Fatal(err)
	}
}

func TestEveryTopicHasThreeLanguages(t *testing.T) {
	topic := func(lang Lang) []string {
		names := topics(t, lang)
		for i, name := range names {
			names[i] = strings.TrimSuffix(name, "."+string(lang)+".toml")
		}
		return names
	}
	for _, lang := range Langs() {
		if got, want := topic(lang), topic(RU); !slices.Equal(got, want) {
			t.Errorf("topics of %s: %v, of ru: %v", lang, got, want)
		}
	}
	all, err := fs.Glob(files, "messages/*")
	if err != nil || len(all) != 3*len(topic(RU)) {
		t.Errorf("%d files in messages, of %d topics in three languages", len(all), len(topic(RU)))
	}
}

func TestEveryKeyHasThreeLanguages(t *testing.T) {
	want := messagesOf(t, RU)
	if len(want) < 20 {
		t.Fatalf("only %d messages were found", len(want))
	}
	for _, lang := range []Lang{KY, EN} {
		got := messagesOf(t, lang)
		for _, key := range slices.Sorted(maps.Keys(want)) {
			if _, ok := got[key]; !ok {
				t.Errorf("%s is missing in %s", key, lang)
			}
		}
		for _, key := range slices.Sorted(maps.Keys(got)) {
			if _, ok := want[key]; !ok {
				t.Errorf("%s is in %s only", key, lang)
			}
		}
	}
}

func TestPluralsHaveAllForms(t *testing.T) {
	russian := messagesOf(t, RU)
	for _, lang := range Langs() {
		for key, m := range messagesOf(t, lang) {
			got := slices.Sorted(maps.Keys(m))
			if _, simple := m[""]; simple {
				if _, simple := russian[key][""]; !simple {
					t.Errorf("%s: %s has plural forms in ru only", lang, key)
				}
				continue
			}
			if !slices.Equal(got, forms[lang]) {
				t.Errorf("%s: %s has the forms %v, want %v", lang, key, got, forms[lang])
			}
		}
	}
}

func TestNoTextIsEmpty(t *testing.T) {
	for _, lang := range Langs() {
		for key, m := range messagesOf(t, lang) {
			for form, text := range m {
				if strings.TrimSpace(text) == "" || text != strings.TrimSpace(text) {
					t.Errorf("%s: %s %s is %q", lang, key, form, text)
				}
			}
		}
	}
}

var placeholder = regexp.MustCompile(`{{\s*\.(\w+)\s*}}`)

// placeholders returns the names of a message's placeholders. Count is left out, since
// some forms ("one day") don't need it.
func placeholders(t *testing.T, key, text string) []string {
	t.Helper()
	if n := len(placeholder.FindAllString(text, -1)); n != strings.Count(text, "{{") || n != strings.Count(text, "}}") {
		t.Errorf("%s: %q contains an action other than {{.Name}}", key, text)
	}
	var names []string
	for _, found := range placeholder.FindAllStringSubmatch(text, -1) {
		if found[1] != "Count" {
			names = append(names, found[1])
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func TestPlaceholdersAgree(t *testing.T) {
	russian := messagesOf(t, RU)
	for _, lang := range Langs() {
		for key, m := range messagesOf(t, lang) {
			want := placeholders(t, key, anyForm(russian[key]))
			for form, text := range m {
				if got := placeholders(t, key, text); !slices.Equal(got, want) {
					t.Errorf("%s: %s %s has the placeholders %v, ru %v", lang, key, form, got, want)
				}
			}
		}
	}
}

func anyForm(m message) string {
	for _, text := range m {
		return text
	}
	return ""
}

// sameInBoth are the texts that are the same in Kyrgyz and Russian: terms and names. Any
// other equal text was not translated.
var sameInBoth = []string{
	"ЭЛСОМ", "ИНН", "Сумма", "сумма", "Комиссия", "комиссия", "Код", "код", "Баланс", "баланс",
	"Терминал", "терминал", "Лимит", "лимит", "сом", "тыйын", "Компания", "Операция", "Эмитент", "Сумма, сом", "СМС", "Экран", "Почта",
	"Январь", "Февраль", "Март", "Апрель", "Май", "Июнь", "Июль", "Август", "Сентябрь", "Октябрь", "Ноябрь", "Декабрь",
}

func TestNoKyrgyzTextIsRussian(t *testing.T) {
	russian := messagesOf(t, RU)
	cyrillic := regexp.MustCompile(`\p{Cyrillic}`)
	for key, m := range messagesOf(t, KY) {
		for _, text := range m {
			bare := strings.Trim(placeholder.ReplaceAllString(text, ""), " .,:;()«»—–\u00a0")
			if !cyrillic.MatchString(bare) || slices.Contains(sameInBoth, bare) {
				continue
			}
			for _, other := range russian[key] {
				if text == other {
					t.Errorf("%s is %q in both languages", key, text)
				}
			}
		}
	}
}

func TestEnglishIsWrittenInLatinLetters(t *testing.T) {
	cyrillic := regexp.MustCompile(`\p{Cyrillic}+`)
	names := []string{"ЭЛСОМ", "ИНН", "СОчИ", "Мобильник", "Акнет"}
	for key, m := range messagesOf(t, EN) {
		for _, text := range m {
			for _, word := range cyrillic.FindAllString(text, -1) {
				if !slices.Contains(names, word) {
					t.Errorf("%s: %q in %q", key, word, text)
				}
			}
		}
	}
}

func TestLanguages(t *testing.T) {
	for _, lang := range Langs() {
		if got, ok := Parse(string(lang)); !ok || got != lang {
			t.Errorf("Parse(%q) = %q, %v", lang, got, ok)
		}
		if lang.Name() == "" {
			t.Errorf("%s has no name", lang)
		}
	}
	if got, ok := Parse("fr"); ok || got != RU {
		t.Errorf("Parse of an unknown language returns %q, %v", got, ok)
	}
	if KY.Name() == RU.Name() || EN.Name() == RU.Name() {
		t.Error("two languages share a name")
	}
}

// withPlaceholder is a message with the placeholder Until.
const withPlaceholder = "email.reset_done.text"

func TestTextReportsWhatIsMissing(t *testing.T) {
	if text, err := RU.Text("nowhere.to.be.found"); text != "" || !errors.Is(err, ErrNoMessage) {
		t.Errorf("unknown key: %q, %v", text, err)
	}
	for name, args := range map[string][]Args{"no arguments": nil, "another argument": {{"Other": "x"}}} {
		if text, err := RU.Text(withPlaceholder, args...); text == "" || !errors.Is(err, ErrNoArgument) {
			t.Errorf("%s: %q, %v", name, text, err)
		}
	}
}

func TestRenderReturnsNoTextWithAnError(t *testing.T) {
	for key, want := range map[string]error{"nowhere.to.be.found": ErrNoMessage, withPlaceholder: ErrNoArgument} {
		if text, err := Render("ru", key, nil); text != "" || !errors.Is(err, want) {
			t.Errorf("%s: %q, %v", key, text, err)
		}
	}
}

func TestTLogsWhatIsMissing(t *testing.T) {
	var logged bytes.Buffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&logged, nil)))
	t.Cleanup(func() { slog.SetDefault(before) })
	if got := RU.T("nowhere.to.be.found"); got != "⟨nowhere.to.be.found⟩" {
		t.Errorf("unknown key: %q", got)
	}
	if got := RU.T(withPlaceholder); !strings.Contains(got, "<no value>") {
		t.Errorf("missing argument: %q", got)
	}
	for _, key := range []string{"nowhere.to.be.found", withPlaceholder} {
		if !strings.Contains(logged.String(), "key="+key) {
			t.Errorf("%s was not logged: %s", key, logged.String())
		}
	}
}

func TestArgumentsAndPlurals(t *testing.T) {
	if err := Check(); err != nil {
		t.Fatal(err)
	}
	for key, m := range messagesOf(t, RU) {
		args := Args{}
		if _, simple := m[""]; !simple {
			args["Count"] = 5
		}
		for _, name := range placeholders(t, key, anyForm(m)) {
			args[name] = "‹" + name + "›"
		}
		for _, lang := range Langs() {
			got := lang.T(key, args)
			if strings.Contains(got, "⟨") || strings.Contains(got, "<no value>") || strings.Contains(got, "{{") {
				t.Errorf("%s: %s is %q", lang, key, got)
			}
		}
	}
}
