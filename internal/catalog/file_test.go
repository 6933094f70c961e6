package catalog

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"elsom/internal/money"
)

const small = `categories:
  - code: other
    name: {ky: "Башкалар", ru: "Другие", en: "Other"}
    ussd: {number: 14, ky: "Башка", ru: "Другие", en: "Other"}
billers:
  - code: dostek
    name: "DosTek group"
    url: ""
    answers_stored_outcome: false
    deadline: 20s
services:
  - code: dostek
    category: other
    biller: dostek
    name: {ky: "DosTek", ru: "DosTek", en: "DosTek"}
    label: {ky: "ИНН", ru: "ИНН", en: "INN"}
    hint: {ky: "14 сан", ru: "14 цифр", en: "14 digits"}
    identifier: inn
    minimum: "10"
    maximum: none
    fee: {percent: "1.5", fixed: "5", minimum: "10", maximum: "100"}
    ussd: {number: 14, ky: "Достэк", ru: "Достэк", en: "Dostek"}
    search: ["достэк"]
levels:
  - code: standard
    balance: "800000"
    operation: "100000"
    day: none
    month: "1000000"
carriers:
  - code: megacom
    name: "Megacom"
    ussd: true
    prefixes: ["55", "755"]
`

func TestReadFile(t *testing.T) {
	contents, err := readFile([]byte(small))
	if err != nil {
		t.Fatal(err)
	}
	s := contents.Services[0]
	if want := (Fee{BasisPoints: 150, Fixed: 500, Minimum: 1000, Maximum: 10_000}); s.Fee != want {
		t.Errorf("fee %+v, want %+v", s.Fee, want)
	}
	if s.Minimum != 1000 || s.Maximum != 0 || s.Identifier != KindINN || s.USSDNumber != 14 {
		t.Errorf("service %+v", s)
	}
	if l := contents.Levels[0]; l.Balance != 80_000_000 || l.Operation != 10_000_000 || l.Day != 0 || l.Month != 100_000_000 {
		t.Errorf("level %+v", l)
	}
}

func TestConfirmAboveOfAFile(t *testing.T) {
	for field, want := range map[string]money.Amount{
		"": DefaultConfirmAbove, "    confirm_above: \"0.01\"\n": 1, "    confirm_above: none\n": 0,
	} {
		contents, err := readFile([]byte(strings.Replace(small, "    month: \"1000000\"\n", "    month: \"1000000\"\n"+field, 1)))
		if err != nil || contents.Levels[0].ConfirmAbove != want {
			t.Errorf("%q: %+v, %v", field, contents.Levels, err)
		}
	}
}

// Each case replaces one text of a good file; the mistake must be reported with its
// line.
func TestBadFiles(t *testing.T) {
	for name, c := range map[string]struct {
		old, new string
		line     int
		says     string
	}{
		"version not a number":      {"categories:", "version: last\ncategories:", 1, "expected a number"},
		"version zero":              {"categories:", "version: 0\ncategories:", 1, "expected a number"},
		"unknown field":             {`    deadline: 20s`, "    deadline: 20s\n    colour: red", 11, `unknown field "colour"`},
		"field twice":               {`    deadline: 20s`, "    deadline: 20s\n    deadline: 21s", 11, "appears twice"},
		"field missing":             {"    deadline: 20s\n", "", 6, `"deadline" is missing`},
		"unknown category":          {"category: other", "category: others", 12, `no category "others"`},
		"unknown biller":            {"    biller: dostek", "    biller: dos", 12, `no biller "dos"`},
		"bad code":                  {"- code: megacom", "- code: Мегаком", 31, "is not a code"},
		"code twice":                {"carriers:", "carriers:\n  - {code: megacom, name: M, ussd: true, prefixes: []}", 32, "is already defined in line 31"},
		"negative amount":           {`minimum: "10"`, `minimum: "-10"`, 19, "not an amount"},
		"amount of three decimals":  {`minimum: "10"`, `minimum: "10.123"`, 19, "not an amount"},
		"amount as a float":         {`minimum: "10"`, `minimum: 1e3`, 19, "not an amount"},
		"amount zero":               {`minimum: "10"`, `minimum: 0`, 19, "write none"},
		"amount empty":              {`minimum: "10"`, `minimum:`, 19, "expected a value"},
		"maximum below minimum":     {"maximum: none", `maximum: "9.99"`, 20, "below minimum"},
		"percent of three decimals": {`percent: "1.5"`, `percent: "1.505"`, 21, "percentage"},
		"percent above hundred":     {`percent: "1.5"`, `percent: "100.01"`, 21, "percentage"},
		"percent zero":              {`percent: "1.5"`, `percent: "0"`, 21, "percentage"},
		"fee of bounds only":        {`percent: "1.5", fixed: "5", `, ``, 21, "needs percent or fixed"},
		"fee not a mapping":         {`fee: {percent: "1.5", fixed: "5", minimum: "10", maximum: "100"}`, "fee: free", 21, "fee: expected fields"},
		"fee maximum below minimum": {`maximum: "100"}`, `maximum: "9"}`, 21, "below minimum"},
		"unknown identifier kind":   {"identifier: inn", "identifier: phone", 18, "must be inn or contract"},
		"pattern for an INN":        {"identifier: inn", "identifier: inn\n    pattern: a", 19, "has no pattern"},
		"broken pattern":            {"identifier: inn", "identifier: contract\n    pattern: 'a)(b'", 19, "pattern"},
		"ussd number 99":            {"ussd: {number: 14, ky: \"Достэк\"", "ussd: {number: 99, ky: \"Достэк\"", 22, "from 1 to 98"},
		"long ussd name":            {`ru: "Достэк"`, `ru: "Достэк и все остальные"`, 22, "longer than 20"},
		"service not on the menu":   {"    ussd: {number: 14, ky: \"Башка\", ru: \"Другие\", en: \"Other\"}\n", "", 11, "not in the ussd menu"},
		"translation missing":       {`{ky: "14 сан", `, `{`, 17, `"ky" is missing`},
		"translation empty":         {`{ky: "14 сан", `, `{ky: " ", `, 17, "empty"},
		"unprintable":               {`"Megacom"`, `"Mega\tcom"`, 32, "can't be printed"},
		"neither true nor false":    {"ussd: true", "ussd: yes", 33, "expected true or false"},
		"not a prefix":              {`"755"`, `"+996755"`, 34, "prefix"},
		"prefix twice":              {`"755"`, `"55"`, 34, "is already defined"},
		"no standard level":         {"- code: standard", "- code: high", 25, `"standard" is missing`},
		"unknown default level":     {"levels:", "default_level: gold\nlevels:", 24, `default_level: there is no level "gold"`},
		"limit missing":             {"    day: none\n", "", 25, `"day" is missing`},
		"bad address scheme":        {`url: ""`, `url: "ftp://dostek.kg"`, 8, "expected an http"},
		"password in the address":   {`url: ""`, `url: "https://elsom:secret@dostek.kg/pay"`, 8, "password"},
		"query in the address":      {`url: ""`, `url: "https://dostek.kg/pay?a=1"`, 8, "query"},
		"deadline zero":             {"deadline: 20s", "deadline: 0s", 10, "expected a time"},
		"deadline too long":         {"deadline: 20s", "deadline: 1h", 10, "expected a time"},
		"list instead of a value":   {"deadline: 20s", "deadline: [20s]", 10, "expected a value"},
		"value instead of a list":   {`prefixes: ["55", "755"]`, "prefixes: 55", 34, "expected a list"},
		"broken YAML":               {"billers:", "billers: [", 0, "not YAML"},
		"second document":           {"billers:", "---\nbillers:", 5, "second document"},
		"alias":                     {"deadline: 20s", "deadline: &d 20s", 10, "anchors"},
		"tag":                       {"deadline: 20s", "deadline: !mine 20s", 10, "tag"},
	} {
		t.Run(name, func(t *testing.T) {
			if strings.Count(small, c.old) < 1 {
				t.Fatalf("the good file has no %q", c.old)
			}
			_, err := readFile([]byte(strings.Replace(small, c.old, c.new, 1)))
			var bad *FileError
			if !errors.As(err, &bad) {
				t.Fatalf("accepted, or another error: %v", err)
			}
			for _, p := range bad.Problems {
				if (p.Line == c.line || c.line == 0) && strings.Contains(p.Text, c.says) {
					return
				}
			}
			t.Errorf("no problem in line %d with %q in:\n%v", c.line, c.says, bad)
		})
	}
}

// A range as people write it on a phone would match no number.
func TestPrefixesThatMatchNoNumber(t *testing.T) {
	for _, prefix := range []string{"0", "055", "0755", "996", "99655"} {
		_, err := readFile([]byte(strings.Replace(small, `"755"`, `"`+prefix+`"`, 1)))
		var bad *FileError
		if !errors.As(err, &bad) || len(bad.Problems) != 1 || bad.Problems[0].Line != 34 || !strings.Contains(bad.Problems[0].Text, "without 0 or 996") {
			t.Errorf("%s: %v", prefix, err)
		}
	}
}

func TestAllMistakesAreReported(t *testing.T) {
	file := strings.NewReplacer("deadline: 20s", "deadline: soon", "identifier: inn", "identifier: x", `"55", `, `"5x", `).Replace(small)
	_, err := readFile([]byte(file))
	want := "line 10: biller dostek: deadline: expected a time from 1s to 1m0s, like 20s\n" +
		"line 18: service dostek: identifier must be inn or contract\n" +
		"line 34: carrier megacom: prefix \"5x\": expected one to nine digits, those after +996"
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
}

func TestEmptyAndHugeFiles(t *testing.T) {
	for name, file := range map[string]string{
		"empty": "", "only a comment": "# nothing\n", "a scalar": "hello", "huge": strings.Repeat("# long\n", maxFile/7+1),
	} {
		if _, err := readFile([]byte(file)); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestEmbeddedFile(t *testing.T) {
	contents, err := readFile(initial)
	if err != nil {
		t.Fatal(err)
	}
	if len(contents.Services) != 3 || len(contents.Categories) != 2 || len(contents.Billers) != 3 {
		t.Errorf("%d services, %d categories, %d billers", len(contents.Services), len(contents.Categories), len(contents.Billers))
	}
	for _, s := range contents.Services {
		if s.Minimum != 1_00 { // each payment costs an SMS
			t.Errorf("the minimum payment of %s is %s som", s.Code, s.Minimum)
		}
		if !s.Fee.None() || s.Maximum != 0 {
			t.Errorf("%s has a made-up fee", s.Code)
		}
	}
	for _, b := range contents.Billers {
		if b.AnswersStoredOutcome || b.URL != "" {
			t.Errorf("%s is connected or trusted by default", b.Code)
		}
	}
}

// Every catalog that is written is read back the same.
func TestFileRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		contents := drawContents(t)
		file, err := writeFile(contents)
		if err != nil {
			t.Fatal(err)
		}
		back, err := readFile(file)
		if err != nil {
			t.Fatalf("%v in\n%s", err, file)
		}
		if !reflect.DeepEqual(contents, back) {
			t.Fatalf("wrote\n%+v\nread\n%+v\nfile\n%s", contents, back, file)
		}
		again, err := writeFile(back)
		if err != nil || string(again) != string(file) {
			t.Fatalf("written again differs: %v", err)
		}
	})
}

func drawContents(t *rapid.T) Contents {
	text := func(name string) string {
		return rapid.StringMatching(`[A-Za-zА-Яңөү"'#:{}\[\]\\0-9!&*-][ a-zа-я:#'",{}%]{0,8}[a-zА-Я0-9"':#]`).Draw(t, name)
	}
	words := func(name string) Text { return Text{text(name + " ky"), text(name + " ru"), text(name + " en")} }
	amount := func(name string) money.Amount {
		return money.Amount(rapid.Int64Range(0, int64(money.Max)).Draw(t, name))
	}
	code := func(kind string, i int) string {
		return rapid.SampledFrom([]string{"a", "null", "true", "no", "e1", "y-"}).Draw(t, kind) + fmt.Sprint(i)
	}
	var contents Contents
	for i := range rapid.IntRange(1, 3).Draw(t, "categories") {
		c := Category{Code: code("category", i), Name: words("name")}
		if rapid.Bool().Draw(t, "ussd") {
			c.USSDNumber, c.USSDName = i+1, words("ussd")
		}
		contents.Categories = append(contents.Categories, c)
		contents.Billers = append(contents.Billers, Biller{
			Code: code("biller", i), Name: text("name"), AnswersStoredOutcome: rapid.Bool().Draw(t, "stored"),
			URL:      rapid.SampledFrom([]string{"", "https://biller.example/pay"}).Draw(t, "url"),
			Deadline: time.Duration(rapid.IntRange(1000, 60_000).Draw(t, "deadline")) * time.Millisecond,
		})
	}
	for i := range rapid.IntRange(0, 4).Draw(t, "services") {
		category := rapid.SampledFrom(contents.Categories).Draw(t, "category")
		s := Service{
			Code: code("service", i), Category: category.Code, Biller: contents.Billers[0].Code,
			Name: words("name"), Label: words("label"), Hint: words("hint"), Identifier: KindINN, Minimum: amount("minimum"),
		}
		if rapid.Bool().Draw(t, "contract") {
			s.Identifier, s.Pattern = KindContract, rapid.SampledFrom([]string{"", `\d{3}|"x"`, `[ab#]: '`}).Draw(t, "pattern")
		}
		if rapid.Bool().Draw(t, "bounded") {
			s.Maximum = max(s.Minimum, amount("maximum"))
		}
		if rapid.Bool().Draw(t, "fee") {
			s.Fee = Fee{BasisPoints: rapid.Int64Range(1, 10_000).Draw(t, "points"), Fixed: amount("fixed"), Minimum: amount("fee minimum")}
		}
		if category.USSDNumber > 0 {
			s.USSDNumber, s.USSDName = i+1, words("ussd")
		}
		for range rapid.IntRange(0, 2).Draw(t, "search") {
			s.Search = append(s.Search, text("search"))
		}
		contents.Services = append(contents.Services, s)
	}
	contents.DefaultLevel = StandardLevel
	contents.Levels = []Level{{Code: StandardLevel, Balance: amount("b"), Operation: amount("o"), Day: amount("d"), Month: amount("m"), ConfirmAbove: amount("c")}}
	contents.Carriers = []Carrier{{Code: "c1", Name: text("name"), Prefixes: []string{"551", "7"}, USSD: true}}
	return contents
}

func FuzzReadFile(f *testing.F) {
	f.Add([]byte(small))
	f.Add(initial)
	f.Add([]byte("a: &a [*a]"))
	f.Add([]byte("categories: {}\n---\n"))
	f.Fuzz(func(t *testing.T, file []byte) {
		contents, err := readFile(file)
		if err != nil {
			return
		}
		written, err := writeFile(contents)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := readFile(written); err != nil {
			t.Fatalf("what was taken is not taken back: %v\n%s", err, written)
		}
	})
}
