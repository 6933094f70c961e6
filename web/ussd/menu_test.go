package ussd

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"elsom/internal/catalog"
	"elsom/internal/fault"
	"elsom/internal/money"
)

// The longest real values: a name of 40 characters, a service's name of 20, a
// label of 100, an ИНН that looks mistyped, amounts up to 99 999,99 and beyond.
var (
	longName   = "Айтолкун-Каныкей Абдыкалык-Токтомаматова" // 40
	longLabel  = strings.Repeat("Өздүк эсептин ", 7) + "тү"
	innService = catalog.Service{Identifier: catalog.KindINN}
)

// walker visits the whole menu, by every valid input of a step and some invalid
// ones, with every outcome of every operation.
type walker struct {
	t     *testing.T
	lang  string
	seen  map[string]State
	steps map[Step]int
	// leads has the states that follow each state in one step.
	leads map[string][]string
}

func testListing(s State) Listing {
	var listing Listing
	switch s.Step {
	case stepCategories, stepServices:
		for n := 3; n < 99; n += 4 {
			listing.Items = append(listing.Items, Item{n, fmt.Sprintf("%s-%d", s.Step, n), "Үй-жай кызматтары №" + string(rune('А'+n%30))})
		}
	case stepAccount:
		listing = Listing{Service: "Үй-жай кызматтары №7", Label: longLabel, INN: true, Identify: innService.Identify}
	}
	return listing
}

// outcomes returns the possible outcomes of an operation.
func outcomes(act Op) []Result {
	good := Result{Name: longName, Code: "123456789012", Balance: 99_999_999_99, Proof: "p", NewPINHash: "m"}
	results := []Result{}
	switch act {
	case opQuote, opQuoteTransfer:
		for _, c := range testChecks(act) {
			good.Check = c
			results = append(results, good)
		}
	case opListOperations:
		none := good
		for i := range 9 {
			good.Operations = append(good.Operations, Operation{Day: "22.11", Amount: money.Amount(9_999_999 * (1 - 2*(i%2))), What: "Үй-жай кызматтары №7"})
		}
		results = append(results, good, none)
	default:
		results = append(results, good)
	}
	for _, kind := range fault.Kinds() {
		results = append(results, Result{Err: fault.New(kind, "walk", "")})
		for field := range retrySteps[act] {
			results = append(results, Result{Err: fault.New(kind, "walk", "").At(field)})
		}
	}
	for _, messages := range []map[fault.Reason]string{retryMessages, endMessages} {
		for message := range messages {
			f := fault.New(fault.Invalid, "walk", message).With("Left", 4).With("Amount", money.Amount(9_999_999)).
				With("Until", "22.11.2026 18:30").With("Balance", money.Amount(9_999_999))
			results = append(results, Result{Err: f})
			for field := range retrySteps[act] {
				at := *f
				results = append(results, Result{Err: at.At(field)})
			}
		}
	}
	return append(results, Result{Err: errors.New("an error without a kind")})
}

func testChecks(act Op) (checks []Check) {
	for _, amount := range []money.Amount{9_999_999, 99_999_999_99} {
		for _, fee := range []money.Amount{0, 99_999, 9_999_999} {
			c := Check{Draft: 7, Amount: amount, Fee: fee, Name: longName}
			if act == opQuoteTransfer {
				c.Phone = "+996 550 123 456"
				checks = append(checks, c)
				continue
			}
			for _, account := range []string{"00207199610017", "99999999999999"} {
				c.Account, c.INN = account, true
				checks = append(checks, c)
			}
			c.Account, c.INN = strings.Repeat("Ң", 64), false
			checks = append(checks, c)
		}
	}
	return checks
}

var keys = []string{
	"0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "00", "14", "99", "100", "", "*", "1*1", "абв", "7391", "39999999999999", "21503198500123",
	"99999,99", "0555123456", longName, "😀", strings.Repeat("1", 300), strings.Repeat("x", 10_000),
}

func (w *walker) inputs(listing Listing) []string {
	inputs := keys
	for _, item := range listing.Items {
		inputs = append(inputs[:len(inputs):len(inputs)], fmt.Sprint(item.Number))
	}
	return inputs
}

// id identifies a state by what its screen and next steps depend on; which item
// was chosen before is left out.
func id(s State) string {
	s.Category, s.Service, s.Account, s.Receiver, s.Proof, s.NewPINHash = "", "", "", "", "", ""
	if s.Step != stepCheck && s.Step != stepTransfer {
		s.Check = Check{}
	}
	if s.Step != stepOperations {
		s.Operations = nil
	}
	if s.Step != stepConfirm {
		s.Name, s.INN = "", ""
	}
	packed, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	return string(packed)
}

// walk checks a state and continues from it.
func (w *walker) walk(from State) {
	waiting := []State{from}
	for len(waiting) > 0 {
		s := waiting[0]
		waiting = waiting[1:]
		if _, known := w.seen[id(s)]; known {
			continue
		}
		w.seen[id(s)] = s
		w.steps[s.Step]++
		w.look(s)
		if s.Step == stepEnd {
			continue
		}
		listing, done := testListing(s), map[Op]bool{}
		for _, input := range w.inputs(listing) {
			next, act := s.Next(input, listing)
			all := []State{next}
			if act != opNone { // its outcomes don't depend on the input
				if all = nil; done[act] {
					continue
				}
				done[act] = true
				for _, r := range outcomes(act) {
					all = append(all, next.Finish(act, r))
				}
			}
			for _, n := range all {
				w.leads[id(s)] = append(w.leads[id(s)], id(n))
				waiting = append(waiting, n)
			}
		}
	}
}

// look checks one screen.
func (w *walker) look(s State) {
	screen := s.Screen(testListing(s))
	text := screen.Text
	switch {
	case Octets(text) > MaxOctets:
		w.t.Errorf("%s at %s: %d octets: %q", w.lang, s.Step, Octets(text), text)
	case text == "" || strings.Contains(text, "⟨") || strings.Contains(text, "<no value>"):
		w.t.Errorf("%s at %s: %q", w.lang, s.Step, text)
	case screen.End != (s.Step == stepEnd):
		w.t.Errorf("%s at %s: end is %v", w.lang, s.Step, screen.End)
	}
	// With a fee of a hundred thousand only payee, amount and fee are left.
	word, short := s.t(s.Message), s.tr("ussd.word.again")
	if s.Message.Key != "" && !strings.Contains(text, word) && !strings.Contains(text, short) && s.Check.Fee < 9_999_999 && s.Check.Account != strings.Repeat("Ң", 64) {
		w.t.Errorf("%s at %s: %q doesn't say %q", w.lang, s.Step, text, word)
	}
	c := s.Check
	if s.Step == stepCheck && (c.INN && !strings.Contains(text, c.Account) || !strings.Contains(text, group(c.Amount)) ||
		c.Fee > 0 && !strings.Contains(text, group(c.Fee))) {
		w.t.Errorf("%s: a check screen without ИНН, amount or fee: %q", w.lang, text)
	}
	if s.Step == stepTransfer && (!strings.Contains(text, c.Phone) || !strings.Contains(text, group(c.Amount))) {
		w.t.Errorf("%s: a check screen without number or amount: %q", w.lang, text)
	}
}

// TestMenuScreensFit walks the whole menu: no screen exceeds 160 octets, and the
// end can be reached from each step.
func TestMenuScreensFit(t *testing.T) {
	for lang, number := range map[string]string{"ky": "1", "ru": "2", "en": "3"} {
		t.Run(lang, func(t *testing.T) {
			t.Parallel()
			w := &walker{t: t, lang: lang, seen: map[string]State{}, steps: map[Step]int{}, leads: map[string][]string{}}
			for _, c := range []Caller{
				{}, {USSD: true, Customer: 1, Lang: lang, Blocked: true}, {USSD: true, Customer: 1, Lang: lang},
				{USSD: true, Customer: 1, Lang: lang, HasPIN: true, Resend: true}, {USSD: true, Customer: 1, Lang: lang, HasPIN: true},
			} {
				w.walk(Start(c))
			}
			started, _ := Start(Caller{USSD: true}).Next(number, Listing{})
			w.look(Start(Caller{USSD: true}))
			w.walk(started)
			for step := range previousStep {
				if w.steps[step] == 0 {
					t.Errorf("step %s was not reached", step)
				}
			}
			w.noDeadEnd()
			t.Logf("%d states", len(w.seen))
		})
	}
}

// The last screens outside the menu fit and don't ask to pay again.
func TestHandlerEndScreens(t *testing.T) {
	keys := []string{"ussd.end.lost", "ussd.end.expired", "ussd.end.command"}
	for _, key := range kindMessages {
		keys = append(keys, key)
	}
	for _, lang := range []string{"ky", "ru", "en"} {
		said := map[string]string{}
		for _, key := range keys {
			s := endScreen(lang, key)
			if !s.End || s.Text == "" || strings.Contains(s.Text, "⟨") || strings.HasSuffix(s.Text, "..") {
				t.Errorf("%s, %s: %+v", lang, key, s)
			}
			said[key] = s.Text
		}
		if said["ussd.end.lost"] == said["ussd.end.expired"] {
			t.Errorf("%s: a caller that may have paid is asked to dial again", lang)
		}
	}
}

// noDeadEnd checks that the end can be reached from each step.
func (w *walker) noDeadEnd() {
	before := map[string][]string{}
	for from, all := range w.leads {
		for _, to := range all {
			before[to] = append(before[to], from)
		}
	}
	alive := map[string]bool{}
	var waiting []string
	for key, s := range w.seen {
		if s.Step == stepEnd {
			waiting = append(waiting, key)
		}
	}
	for len(waiting) > 0 {
		key := waiting[0]
		waiting = waiting[1:]
		if !alive[key] {
			alive[key] = true
			waiting = append(waiting, before[key]...)
		}
	}
	for key, s := range w.seen {
		if !alive[key] {
			w.t.Errorf("%s: no way on from %s", w.lang, s.Step)
		}
	}
}

var itemLine = regexp.MustCompile(`(?m)^([0-9]+) (.*)$`)

// An item has the same number wherever it is shown, on one page only; 0 and 99 are
// never items.
func TestItemNumbersAreFixed(t *testing.T) {
	for _, lang := range []string{"ky", "ru", "en"} {
		for _, step := range []Step{stepCategories, stepServices} {
			s := State{Step: step, Lang: lang, Customer: 1}
			listing, found := testListing(s), map[string]string{}
			pages := 0
			for {
				pages++
				text := s.Screen(listing).Text
				for _, line := range itemLine.FindAllStringSubmatch(text, -1) {
					if line[1] == numberBack || line[1] == numberMore {
						continue
					}
					if found[line[1]] != "" {
						t.Errorf("%s is on two pages", line[1])
					}
					found[line[1]] = line[2]
				}
				wrong, _ := s.Next("nonsense", listing)
				if spoken := wrong.Screen(listing).Text; !strings.HasSuffix(spoken, text) {
					t.Errorf("after a wrong choice another page: %q, was %q", spoken, text)
				}
				next, _ := s.Next(numberMore, listing)
				if next.Page == s.Page {
					break
				}
				if back, _ := next.Next(numberBack, listing); back.Page != s.Page {
					t.Errorf("0 leads from page %d to %d", next.Page, back.Page)
				}
				s = next
			}
			for _, item := range listing.Items {
				if found[fmt.Sprint(item.Number)] != item.Name {
					t.Errorf("%s: item %d is %q", lang, item.Number, found[fmt.Sprint(item.Number)])
				}
				chosen, _ := State{Step: step, Lang: lang}.Next(fmt.Sprint(item.Number), listing)
				if chosen.Category+chosen.Service != item.Code {
					t.Errorf("%s: %d chooses %q", lang, item.Number, chosen.Category+chosen.Service)
				}
			}
			if pages < 3 {
				t.Errorf("only %d pages", pages)
			}
		}
	}
}

func TestOctets(t *testing.T) {
	for text, want := range map[string]int{
		"": 0, "a": 1, strings.Repeat("a", 8): 7, strings.Repeat("a", 182): 160, strings.Repeat("a", 183): 161,
		strings.Repeat("€", 91): 160, "Ң": 2, strings.Repeat("ж", 80): 160, "😀": 4, "No ʼ": 8,
	} {
		if got := Octets(text); got != want {
			t.Errorf("%q: %d octets, want %d", text, got, want)
		}
	}
}
