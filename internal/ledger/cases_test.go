package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"elsom/internal/database"
	"elsom/internal/fault"
	"elsom/internal/ledger"
	"elsom/internal/money"
)

// The cases in testdata can be read by accountants; transfers.txt describes the
// language.
func TestCases(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) < 4 {
		t.Fatal(files, err)
	}
	each(t, func(t *testing.T, db *database.DB) {
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			runCases(t, db, string(text))
		}
	})
}

func runCases(t *testing.T, db *database.DB, text string) {
	b := oneWriter(t, db)
	var s *caseRun
	for _, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		title, begins := strings.CutPrefix(line, "case: ")
		switch {
		case line == "" || strings.HasPrefix(line, "#"):
			continue
		case begins:
			if s != nil {
				s.postBatch()
			}
			s = &caseRun{t: t, b: b, title: title, accounts: map[string]int64{}, transfers: map[string]int64{}}
			continue
		}
		s.line(line)
	}
	s.postBatch()
	b.wantAuditOK()
}

// caseRun is a case that is being run.
type caseRun struct {
	t         *testing.T
	b         *books
	title     string
	accounts  map[string]int64
	transfers map[string]int64 // by key
	n         int
	waiting   []step // the & lines
}

// step is a line with a transfer and its expected result.
type step struct {
	line, key, want string
	posting         ledger.Posting
}

func (s *caseRun) line(line string) {
	s.t.Helper()
	text, want, isStep := strings.Cut(line, "|")
	text, want = strings.TrimSpace(text), strings.TrimSpace(want)
	words := strings.Fields(text)
	rest, batched := strings.CutPrefix(text, "& ")
	if !batched {
		s.postBatch()
	}
	switch {
	case isStep:
		a := step{line: line, want: want}
		a.key, a.posting = s.posting(rest)
		if batched {
			s.waiting = append(s.waiting, a)
			return
		}
		receipt, err := s.b.Post(context.Background(), a.posting)
		s.check(a, receipt, err)
	case words[0] == "open":
		s.open(words[1:])
	case len(words) > 2 && words[1] == "has":
		s.b.wantBalance(s.account(words[0]), s.amount(strings.Join(words[2:], "")))
	default:
		s.t.Fatalf("%s: can't read %q", s.title, line)
	}
}

// postBatch posts the & lines as one batch.
func (s *caseRun) postBatch() {
	s.t.Helper()
	if len(s.waiting) == 0 {
		return
	}
	g := block(s.t, s.b)
	answers := make([]*answer, len(s.waiting))
	for i, a := range s.waiting {
		answers[i] = g.queue(a.posting)
	}
	g.release()
	var moment time.Time
	for i, a := range s.waiting {
		s.check(a, answers[i].Receipt, answers[i].err)
		if answers[i].err != nil || answers[i].Replayed && a.want == "same" {
			continue
		}
		if at := answers[i].PostedAt; moment.IsZero() {
			moment = at
		} else if !at.Equal(moment) {
			s.t.Errorf("%s: %s: not in the batch of the lines before it", s.title, a.line)
		}
	}
	s.waiting = nil
}

func (s *caseRun) open(words []string) {
	s.t.Helper()
	kind, name := ledger.AccountType(words[0]), words[1]
	switch {
	case len(words) > 2:
		s.accounts[name] = s.b.open(kind, s.amount(strings.Join(words[3:], "")))
	case kind == ledger.Wallet:
		s.accounts[name] = s.b.open(kind, 0)
	default:
		s.accounts[name] = s.b.account(kind, fmt.Sprint(s.b.db.NewID()))
	}
}

var options = regexp.MustCompile(` (key|hash|op|corrects|ceiling) ([^ ]+( [0-9 ]*,\d\d)?)`)

func (s *caseRun) posting(text string) (key string, p ledger.Posting) {
	s.t.Helper()
	s.n++
	key = fmt.Sprint("line", s.n)
	var ceiling money.Amount
	p.Op = "test"
	for _, option := range options.FindAllStringSubmatch(text, -1) {
		switch value := option[2]; option[1] {
		case "key":
			key = value
		case "hash":
			p.Hash = value
		case "op":
			p.Op = value
		case "corrects":
			p.Corrects = s.transfers[value]
		case "ceiling":
			ceiling = s.amount(value)
		}
	}
	p.Key = s.title + "/" + key
	text = options.ReplaceAllString(text, "")
	left, right, found := strings.Cut(text, "→")
	if !found {
		s.t.Fatalf("%s: can't read %q", s.title, text)
	}
	credits, total := s.side(right, 0)
	debits, _ := s.side(left, total)
	for _, e := range debits {
		e.Amount = -e.Amount
		p.Entries = append(p.Entries, e)
	}
	for _, e := range credits {
		e.Ceiling = ceiling
		p.Entries = append(p.Entries, e)
	}
	return key, p
}

// side reads "A 10,00 + B 5,00"; an account without an amount gets the total.
func (s *caseRun) side(text string, total money.Amount) (entries []ledger.Entry, sum money.Amount) {
	s.t.Helper()
	for _, part := range strings.Split(text, "+") {
		name, amount, given := strings.Cut(strings.TrimSpace(part), " ")
		e := ledger.Entry{Account: s.account(name), Amount: total}
		if given {
			e.Amount = s.amount(amount)
		}
		sum += e.Amount
		entries = append(entries, e)
	}
	return entries, sum
}

func (s *caseRun) account(name string) int64 {
	s.t.Helper()
	id, ok := s.accounts[name]
	if !ok {
		s.t.Fatalf("%s: no account %s", s.title, name)
	}
	return id
}

func (s *caseRun) amount(text string) money.Amount {
	s.t.Helper()
	amount, err := money.Parse(strings.TrimPrefix(text, "−"))
	if err != nil {
		s.t.Fatalf("%s: %q: %v", s.title, text, err)
	}
	if strings.HasPrefix(text, "−") {
		return -amount
	}
	return amount
}

func (s *caseRun) check(a step, receipt ledger.Receipt, err error) {
	s.t.Helper()
	if got := word(receipt, err); strings.ReplaceAll(a.want, " ", "") != strings.ReplaceAll(got, "\u00a0", "") {
		s.t.Errorf("%s:\n\t%s\n\tgot: %s (%v)", s.title, a.line, got, err)
	}
	if err != nil {
		return
	}
	if first, posted := s.transfers[a.key]; posted && receipt.Transfer != first {
		s.t.Errorf("%s: %s: a different receipt", s.title, a.line)
	}
	s.transfers[a.key] = receipt.Transfer
}

// word returns the result of a posting as the cases write it.
func word(receipt ledger.Receipt, err error) string {
	var below *ledger.BelowFloor
	var above *ledger.AboveCeiling
	var over *ledger.OverLimit
	switch {
	case err == nil && receipt.Replayed:
		return "same"
	case err == nil:
		return "ok"
	case errors.As(err, &below) && fault.Is(err, fault.Insufficient):
		return "short" + below.Balance.String()
	case errors.As(err, &above) && fault.Is(err, fault.Limit):
		return "above" + above.Balance.String()
	case errors.As(err, &over) && fault.Is(err, fault.Limit):
		return map[bool]string{false: "day", true: "month"}[over.Month] + over.Left.String()
	case fault.Is(err, fault.Conflict):
		return "conflict"
	case fault.Is(err, fault.Internal) && receipt == ledger.Receipt{}:
		return "wrong"
	}
	return err.Error()
}
