package catalog

import (
	"bytes"
	"cmp"
	"errors"
	"io"
	"math"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// Limits of a catalog file.
const (
	maxFile       = 1 << 20
	maxEntries    = 2000
	nameLength    = 100
	hintLength    = 300
	ussdLength    = 20 // of a name on a USSD screen
	urlLength     = 500
	maxSearch     = 30 // words of one service
	searchWord    = 60
	patternLength = 200
	maxPrefixes   = 200
)

// readFile parses a catalog file. Its error is a *BadFile that lists all mistakes.
func readFile(content []byte) (Contents, error) {
	r := &reader{}
	root := r.parse(content)
	if len(r.problems) > 0 {
		return Contents{}, &FileError{r.problems}
	}
	contents := r.contents(root)
	if len(r.problems) > 0 {
		slices.SortStableFunc(r.problems, func(a, b Problem) int { return cmp.Compare(a.Line, b.Line) })
		return Contents{}, &FileError{r.problems}
	}
	return contents, nil
}

var yamlLine = regexp.MustCompile(`(?s)\Ayaml: line ([0-9]+): (.*)\z`)

func (r *reader) parse(content []byte) *yaml.Node {
	if len(content) > maxFile {
		r.fail(nil, "the file is larger than %d bytes", maxFile)
		return nil
	}
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	var document, second yaml.Node
	switch err := decoder.Decode(&document); {
	case errors.Is(err, io.EOF):
		r.fail(nil, "the file is empty")
		return nil
	case err != nil:
		r.syntax(err)
		return nil
	}
	switch err := decoder.Decode(&second); {
	case err == nil:
		r.fail(&second, "a second document begins here; one file holds one catalog")
	case !errors.Is(err, io.EOF):
		r.syntax(err)
	}
	root := document.Content[0]
	r.plain(root)
	return root
}

func (r *reader) syntax(err error) {
	text, line := err.Error(), 0
	if m := yamlLine.FindStringSubmatch(text); m != nil {
		line, _ = strconv.Atoi(m[1])
		text = m[2]
	}
	r.problems = append(r.problems, Problem{line, "not YAML: " + strings.TrimPrefix(text, "yaml: ")})
}

// names maps each code of a list to its position.
type names map[string]*yaml.Node

func (r *reader) contents(root *yaml.Node) Contents {
	f := r.fields(root, "catalog", []string{"categories", "billers", "services", "levels", "carriers"}, []string{"version", "default_level"})
	contents := Contents{Version: int64(r.number(f["version"], "version", 1, math.MaxInt32))}
	categories, billers := names{}, names{}
	for _, n := range r.list(f["categories"], "categories", maxEntries) {
		c := r.category(n)
		r.once(categories, n, "category", c.Code)
		contents.Categories = append(contents.Categories, c)
	}
	for _, n := range r.list(f["billers"], "billers", maxEntries) {
		b := r.biller(n)
		r.once(billers, n, "biller", b.Code)
		contents.Billers = append(contents.Billers, b)
	}
	services := names{}
	for _, n := range r.list(f["services"], "services", maxEntries) {
		s := r.service(n)
		r.once(services, n, "service", s.Code)
		if s.Category != "" && categories[s.Category] == nil {
			r.fail(n, "service %s: there is no category %q", s.Code, s.Category)
		}
		if s.Biller != "" && billers[s.Biller] == nil {
			r.fail(n, "service %s: there is no biller %q", s.Code, s.Biller)
		}
		contents.Services = append(contents.Services, s)
	}
	r.menu(contents, categories, services)
	contents.Levels, contents.DefaultLevel = r.levels(f["levels"], f["default_level"])
	contents.Carriers = r.carriers(f["carriers"])
	return contents
}

// levels reads the levels and the code of the default one.
func (r *reader) levels(list, byDefault *yaml.Node) (levels []Level, code string) {
	code, seen := StandardLevel, names{}
	if byDefault != nil {
		code = r.code(byDefault, "default_level")
	}
	for _, n := range r.list(list, "levels", maxEntries) {
		l := r.level(n)
		r.once(seen, n, "level", l.Code)
		levels = append(levels, l)
	}
	switch {
	case list == nil, code == "", seen[code] != nil: // reported, or right
	case byDefault != nil:
		r.fail(byDefault, "default_level: there is no level %q", code)
	default:
		r.fail(list, "levels: %q is missing; it is the level of new customers, unless default_level names another", code)
	}
	return levels, code
}

func (r *reader) once(seen names, n *yaml.Node, what, code string) {
	if code == "" {
		return
	}
	if first := seen[code]; first != nil {
		r.fail(n, "%s %q is already defined in line %d", what, code, first.Line)
		return
	}
	seen[code] = n
}

func (r *reader) category(n *yaml.Node) Category {
	f := r.fields(n, "category", []string{"code", "name"}, []string{"ussd"})
	what := "category " + valueOf(f["code"])
	c := Category{Code: r.code(f["code"], "category's code"), Name: r.translations(f["name"], what+": name", nameLength)}
	c.USSDNumber, c.USSDName = r.ussd(f["ussd"], what)
	return c
}

func valueOf(n *yaml.Node) string {
	if n == nil {
		return "without code"
	}
	return n.Value
}

func (r *reader) ussd(n *yaml.Node, what string) (int, Text) {
	if n == nil {
		return 0, Text{}
	}
	what += ": ussd"
	f := r.fields(n, what, []string{"number", "ky", "ru", "en"}, nil)
	return r.number(f["number"], what+" number", 1, 98), Text{
		KY: r.text(f["ky"], what+" in ky", ussdLength),
		RU: r.text(f["ru"], what+" in ru", ussdLength),
		EN: r.text(f["en"], what+" in en", ussdLength),
	}
}

func (r *reader) biller(n *yaml.Node) Biller {
	f := r.fields(n, "biller", []string{"code", "name", "url", "answers_stored_outcome", "deadline"}, nil)
	what := "biller " + valueOf(f["code"])
	return Biller{
		Code:                 r.code(f["code"], "biller's code"),
		Name:                 r.text(f["name"], what+": name", nameLength),
		URL:                  r.address(f["url"], what+": url"),
		AnswersStoredOutcome: r.boolean(f["answers_stored_outcome"], what+": answers_stored_outcome"),
		Deadline:             r.duration(f["deadline"], what+": deadline", time.Second, time.Minute),
	}
}

func (r *reader) address(n *yaml.Node, what string) string {
	value, ok := r.scalar(n, what)
	if !ok || value == "" {
		return ""
	}
	u, err := url.Parse(value)
	switch {
	case err != nil, u.Scheme != "http" && u.Scheme != "https", u.Host == "", u.Fragment != "", len(value) > urlLength:
		r.fail(n, "%s: expected an http or https address, or \"\" for none", what)
	case u.User != nil:
		r.fail(n, "%s: passwords are not allowed in this file", what)
	case u.RawQuery != "":
		r.fail(n, "%s: the address must not have a query", what)
	default:
		return value
	}
	return ""
}

func (r *reader) service(n *yaml.Node) Service {
	f := r.fields(n, "service",
		[]string{"code", "category", "biller", "name", "label", "hint", "identifier", "minimum", "maximum", "fee"},
		[]string{"pattern", "ussd", "search"})
	what := "service " + valueOf(f["code"])
	s := Service{
		Code:     r.code(f["code"], "service's code"),
		Category: r.code(f["category"], what+": category"),
		Biller:   r.code(f["biller"], what+": biller"),
		Name:     r.translations(f["name"], what+": name", nameLength),
		Label:    r.translations(f["label"], what+": label", nameLength),
		Hint:     r.translations(f["hint"], what+": hint", hintLength),
		Minimum:  r.amount(f["minimum"], what+": minimum"),
		Maximum:  r.amount(f["maximum"], what+": maximum"),
		Fee:      r.fee(f["fee"], what+": fee"),
	}
	if s.Minimum > 0 && s.Maximum > 0 && s.Minimum > s.Maximum {
		r.fail(f["maximum"], "%s: maximum is below minimum", what)
	}
	s.Identifier, s.Pattern = r.identifier(f["identifier"], f["pattern"], what)
	s.USSDNumber, s.USSDName = r.ussd(f["ussd"], what)
	for _, word := range r.list(f["search"], what+": search", maxSearch) {
		s.Search = append(s.Search, r.text(word, what+": search", searchWord))
	}
	return s
}

func (r *reader) identifier(kind, pattern *yaml.Node, what string) (IdentifierKind, string) {
	value, _ := r.scalar(kind, what+": identifier")
	if kind != nil && value != string(KindINN) && value != string(KindContract) {
		r.fail(kind, "%s: identifier must be inn or contract", what)
	}
	if pattern == nil {
		return IdentifierKind(value), ""
	}
	if value == string(KindINN) {
		r.fail(pattern, "%s: an inn has no pattern", what)
	}
	text := r.text(pattern, what+": pattern", patternLength)
	if _, err := anchored(text); err != nil {
		r.fail(pattern, "%s: pattern: %v", what, err)
	}
	return IdentifierKind(value), text
}

func (r *reader) fee(n *yaml.Node, what string) Fee {
	if n == nil || n.Kind == yaml.ScalarNode && n.Value == none {
		return Fee{}
	}
	f := r.fields(n, what, nil, []string{"percent", "fixed", "minimum", "maximum"})
	fee := Fee{
		BasisPoints: r.percent(f["percent"], what+": percent"),
		Fixed:       r.amount(f["fixed"], what+": fixed"),
		Minimum:     r.amount(f["minimum"], what+": minimum"),
		Maximum:     r.amount(f["maximum"], what+": maximum"),
	}
	if n.Kind == yaml.MappingNode && fee.BasisPoints == 0 && fee.Fixed == 0 {
		r.fail(n, "%s: needs percent or fixed; write none where there is no fee", what)
	}
	if fee.Maximum > 0 && fee.Minimum > fee.Maximum {
		r.fail(f["maximum"], "%s: maximum is below minimum", what)
	}
	return fee
}

// menu checks that each number of the USSD menus is used once.
func (r *reader) menu(contents Contents, categories, services names) {
	top := map[int]string{}
	onMenu := map[string]bool{}
	for _, c := range contents.Categories {
		if c.USSDNumber == 0 {
			continue
		}
		if other, taken := top[c.USSDNumber]; taken {
			r.fail(categories[c.Code], "category %s: ussd number %d is taken by category %s", c.Code, c.USSDNumber, other)
		}
		top[c.USSDNumber], onMenu[c.Code] = c.Code, true
	}
	type place struct {
		category string
		number   int
	}
	taken := map[place]string{}
	for _, s := range contents.Services {
		if s.USSDNumber == 0 {
			continue
		}
		at := place{s.Category, s.USSDNumber}
		switch other, is := taken[at]; {
		case is:
			r.fail(services[s.Code], "service %s: ussd number %d is taken by service %s", s.Code, s.USSDNumber, other)
		case !onMenu[s.Category] && categories[s.Category] != nil:
			r.fail(services[s.Code], "service %s: its category %s is not in the ussd menu", s.Code, s.Category)
		}
		taken[at] = s.Code
	}
}

func (r *reader) level(n *yaml.Node) Level {
	f := r.fields(n, "level", []string{"code", "balance", "operation", "day", "month"}, []string{"confirm_above"})
	what := "level " + valueOf(f["code"])
	confirmAbove := DefaultConfirmAbove
	//mutant:drop TestConfirmAboveOfAFile
	if f["confirm_above"] != nil {
		confirmAbove = r.amount(f["confirm_above"], what+": confirm_above")
	}
	return Level{
		Code:      r.code(f["code"], "level's code"),
		Balance:   r.amount(f["balance"], what+": balance"),
		Operation: r.amount(f["operation"], what+": operation"),
		Day:       r.amount(f["day"], what+": day"),
		Month:     r.amount(f["month"], what+": month"),

		ConfirmAbove: confirmAbove,
	}
}

const countryCode = "996"

var prefixForm = regexp.MustCompile(`\A[0-9]{1,9}\z`)

func (r *reader) carriers(n *yaml.Node) []Carrier {
	var carriers []Carrier
	codes, prefixes := names{}, names{}
	for _, n := range r.list(n, "carriers", maxEntries) {
		f := r.fields(n, "carrier", []string{"code", "name", "ussd", "prefixes"}, nil)
		what := "carrier " + valueOf(f["code"])
		c := Carrier{
			Code: r.code(f["code"], "carrier's code"),
			Name: r.text(f["name"], what+": name", nameLength),
			USSD: r.boolean(f["ussd"], what+": ussd"),
		}
		r.once(codes, n, "carrier", c.Code)
		for _, p := range r.list(f["prefixes"], what+": prefixes", maxPrefixes) {
			value, ok := r.scalar(p, what+": prefix")
			if !ok {
				continue
			}
			if !prefixForm.MatchString(value) {
				r.fail(p, "%s: prefix %q: expected one to nine digits, those after +996", what, value)
				continue
			}
			//mutant:drop TestPrefixesThatMatchNoNumber
			if strings.HasPrefix(value, "0") || strings.HasPrefix(value, countryCode) {
				// It would match no number, and the range would have no carrier.
				r.fail(p, "%s: prefix %q: expected the digits after +996, without 0 or 996 before them", what, value)
				continue
			}
			r.once(prefixes, p, "prefix", value)
			c.Prefixes = append(c.Prefixes, value)
		}
		carriers = append(carriers, c)
	}
	return carriers
}
