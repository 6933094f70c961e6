package catalog

import (
	"context"
	"strings"
	"unicode"

	"elsom/internal/input"
)

// maxQuery is the number of characters of a search that are used.
const maxQuery = 100

// Search returns the payable services that match every word of the text, in any
// of the languages and either alphabet («достэк», "dostek", «Достек»): by name,
// category, biller, or the operator's search words. Services whose own name
// matches come first. A text that finds nothing is tried again as typed in the
// other keyboard layout ("ljcn'r", «вщыеул»). An empty text finds nothing.
func (c *Catalog) Search(ctx context.Context, text string) ([]Service, error) {
	s, err := c.current(ctx)
	if err != nil {
		return nil, err
	}
	text = input.Clean(text)
	if runes := []rune(text); len(runes) > maxQuery {
		text = string(runes[:maxQuery])
	}
	found := s.find(fold(text))
	if len(found) == 0 {
		found = s.find(fold(otherLayout(text)))
	}
	return found, nil
}

// find returns the payable services that match all words, which are folded.
func (s *snapshot) find(asked []string) []Service {
	if len(asked) == 0 {
		return nil
	}
	var named, other []Service
	for i, service := range s.payable {
		switch words := s.searchWords[i]; {
		case !matchesAll(words.all, asked):
		case matchesAll(words.name, asked):
			named = append(named, service)
		default:
			other = append(other, service)
		}
	}
	return append(named, other...)
}

// The keys of the Latin and the Russian layout in the same order; letters that
// Kyrgyz adds are typed with a modifier and stay as they are.
const (
	latinKeys   = "`qwertyuiop[]asdfghjkl;'zxcvbnm,."
	russianKeys = "ёйцукенгшщзхъфывапролджэячсмитьбю"
)

var layouts = func() map[rune]rune {
	keys := make(map[rune]rune)
	latin, russian := []rune(latinKeys), []rune(russianKeys)
	for i := range latin {
		keys[latin[i]], keys[russian[i]] = russian[i], latin[i]
	}
	return keys
}()

// otherLayout returns the text as the same keys type it in the other layout.
func otherLayout(text string) string {
	return strings.Map(func(r rune) rune {
		if other, ok := layouts[r]; ok {
			return other
		}
		return r
	}, strings.ToLower(text))
}

// searchable is what one service is found by, folded.
type searchable struct{ name, all []string }

func searchableOf(service Service, category Category, biller Biller) searchable {
	var w searchable
	for _, text := range service.Name.all() {
		w.name = append(w.name, fold(text)...)
		// Unfolded too: "gro" is not the beginning of "grup".
		w.name = append(w.name, strings.Fields(strings.ToLower(text))...)
	}
	w.all = append(w.all, w.name...)
	texts := append(service.USSDName.all(), category.Name.all()...)
	texts = append(texts, biller.Name, service.Code)
	for _, text := range append(texts, service.Search...) {
		w.all = append(w.all, fold(text)...)
	}
	return w
}

// matchesAll reports whether each search word is a prefix of one of the words, or,
// from three letters on, a part of one, or one of them with an ending («налоги» of
// «налог»).
func matchesAll(words, asked []string) bool {
	for _, a := range asked {
		found := false
		for _, w := range words {
			if strings.HasPrefix(w, a) || (len(a) >= 3 && strings.Contains(w, a)) || endingOf(w, a) {
				found = true
				break
			}
		}
		if !found {
			return false
		}
	}
	return true
}

// endingOf reports whether asked is word with a grammatical ending.
func endingOf(word, asked string) bool {
	const stem, ending = 5, 3 // the shortest stem, the longest ending
	return len(word) >= stem && len(asked) <= len(word)+ending && strings.HasPrefix(asked, word)
}

// latin transliterates Cyrillic letters as people type them on a Latin keyboard;
// letters that sound alike are written alike.
var latin = map[rune]string{
	'а': "a", 'б': "b", 'в': "v", 'г': "g", 'д': "d", 'е': "e", 'ё': "e", 'ж': "zh",
	'з': "z", 'и': "i", 'й': "i", 'к': "k", 'л': "l", 'м': "m", 'н': "n", 'ң': "n",
	'о': "o", 'ө': "o", 'п': "p", 'р': "r", 'с': "s", 'т': "t", 'у': "u", 'ү': "u",
	'ф': "f", 'х': "h", 'ц': "ts", 'ч': "ch", 'ш': "sh", 'щ': "sh", 'ъ': "", 'ы': "i",
	'ь': "", 'э': "e", 'ю': "iu", 'я': "ia",
}

var alike = strings.NewReplacer(
	"kh", "h", "ck", "k", "ph", "f", "c", "k", "q", "k", "w", "v", "y", "i", "j", "zh",
	"x", "ks", "ou", "u",
)

// fold splits a text into words of Latin letters and digits that are the same
// for the same sound in either alphabet; doubled letters count once.
func fold(text string) []string {
	var words []string
	for _, field := range strings.FieldsFunc(strings.ToLower(text), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r)
	}) {
		var b strings.Builder
		for _, r := range field {
			if l, ok := latin[r]; ok {
				b.WriteString(l)
			} else {
				b.WriteRune(r)
			}
		}
		// "ch" stands for itself; elsewhere c sounds like k.
		word := strings.ReplaceAll(b.String(), "ch", "\x00")
		word = strings.ReplaceAll(alike.Replace(word), "\x00", "ch")
		if word = squeeze(word); word != "" {
			words = append(words, word)
		}
	}
	return words
}

func squeeze(word string) string {
	var b strings.Builder
	var last rune
	for _, r := range word {
		if r != last || unicode.IsDigit(r) {
			b.WriteRune(r)
		}
		last = r
	}
	return b.String()
}
