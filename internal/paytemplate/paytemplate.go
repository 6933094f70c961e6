// Package paytemplate has the templates by which customers fill payment forms again.
//
// It guarantees that a wallet has one template for each service and identifier and 100 at
// most, and that another wallet's is not found. A template only fills a form: it moves no
// money, and what is paid is the draft that the customer is shown on the check page.
package paytemplate

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"elsom/internal/database"
	"elsom/internal/fault"
	"elsom/internal/input"
	"elsom/internal/limit"
	"elsom/internal/money"
)

const (
	// Max is the number of templates that a wallet may have.
	Max = 100
	// MaxName is the length of a name in characters.
	MaxName = 60
)

// Template fills the form of a service.
type Template struct {
	ID, CustomerID int64
	Service        string
	Identifier     string
	Payee          string // the name that the biller returned for the payment; may be empty
	Name           string
	Amount         money.Amount // the usual sum; 0: none
	Position       int64        // orders a wallet's templates; ties by id
	MadeAt         time.Time
}

// Typed has the fields of a template as the customer typed them.
type Typed struct {
	Name   string
	Amount string // in som; empty: no usual sum
	// Position is the place in the list, from 1; not read by Save.
	Position string
}

// Templates stores templates.
type Templates struct {
	db    *database.DB
	lists *database.Coalescer[int64, []Template]
}

// New returns the templates of a database.
func New(db *database.DB) *Templates {
	ts := &Templates{db: db}
	ts.lists = database.NewCoalescer(ts.readLists)
	return ts
}

// List returns a customer's templates in their order. Concurrent calls share a statement.
func (ts *Templates) List(ctx context.Context, customerID int64) ([]Template, error) {
	list, err := ts.lists.Do(ctx, customerID)
	return list, fault.Wrap("paytemplate.list", err)
}

// Find returns the template with an id in a list, and its place, from 1.
func Find(list []Template, id int64) (t Template, place int, ok bool) {
	at := indexOf(list, id)
	if at < 0 {
		return Template{}, 0, false
	}
	return list[at], at + 1, true
}

// Of returns the template of a service and an identifier in a list, if there is one.
func Of(list []Template, service, identifier string) (Template, bool) {
	at := slices.IndexFunc(list, func(t Template) bool { return t.Service == service && t.Identifier == identifier })
	if at < 0 {
		return Template{}, false
	}
	return list[at], true
}

// Matching returns the templates whose name, payee or identifier contain all words of a
// query.
func Matching(list []Template, query string) []Template {
	words := strings.Fields(strings.ToLower(input.Name(query)))
	if number := input.Digits(query); number != "" && strings.Trim(number, "0123456789") == "" {
		words = []string{number} // an identifier in groups
	}
	return slices.DeleteFunc(slices.Clone(list), func(t Template) bool {
		text := strings.ToLower(t.Name + "\n" + t.Payee + "\n" + t.Identifier)
		return slices.ContainsFunc(words, func(word string) bool { return !strings.Contains(text, word) })
	})
}

// Save stores a template of t's customer, service, identifier and payee as the last of the
// list, with what was typed. If there is one already, it returns that one unchanged, and
// false. Faults: Invalid at "name" and "amount"; Limit "template.too_many" with Most.
func (ts *Templates) Save(ctx context.Context, t Template, typed Typed) (saved Template, made bool, err error) {
	const op = "paytemplate.save"
	if err := t.read(op, typed); err != nil {
		return t, false, err
	}
	err = ts.db.InTx(ctx, func(_ context.Context, tx *database.Tx) error {
		list, err := lockList(tx, t.CustomerID)
		if err != nil {
			return err
		}
		//mutant:drop TestOneTemplateForAnAccount
		if before, ok := Of(list, t.Service, t.Identifier); ok {
			saved, made = before, false
			return nil
		}
		//mutant:drop TestTemplatesOfAWalletAreBounded
		if len(list) >= Max {
			return fault.New(fault.Limit, op, "template.too_many").With("Most", Max)
		}
		if t.Position = 1; len(list) > 0 {
			t.Position = list[len(list)-1].Position + 1
		}
		t.ID, t.MadeAt = tx.NewID(), tx.Now()
		saved, made = t, true
		return insert(tx, t)
	})
	return saved, made, fault.Wrap(op, err)
}

// Change stores the name, the usual sum and the place of a customer's template. Faults:
// Invalid at "name", "amount" and "position"; NotFound.
func (ts *Templates) Change(ctx context.Context, customerID, id int64, typed Typed) error {
	const op = "paytemplate.change"
	return fault.Wrap(op, ts.db.InTx(ctx, func(_ context.Context, tx *database.Tx) error {
		list, err := lockList(tx, customerID)
		if err != nil {
			return err
		}
		at := indexOf(list, id)
		if at < 0 {
			return fault.New(fault.NotFound, op, "")
		}
		to, wrongPosition := readPosition(op, typed.Position, len(list))
		if err := fault.Join(list[at].read(op, typed), wrongPosition); err != nil {
			return err
		}
		if err := updateContent(tx, list[at]); err != nil {
			return err
		}
		for i, t := range moved(list, at, to) {
			if position := int64(i + 1); t.Position != position {
				if err := updatePosition(tx, t.ID, position); err != nil {
					return err
				}
			}
		}
		return nil
	}))
}

// Delete deletes a customer's template. It succeeds if there is none.
func (ts *Templates) Delete(ctx context.Context, customerID, id int64) error {
	return fault.Wrap("paytemplate.delete", ts.db.InTx(ctx, func(_ context.Context, tx *database.Tx) error {
		return remove(tx, customerID, id)
	}))
}

// Purge deletes the templates of closed wallets and returns their number.
func (ts *Templates) Purge(ctx context.Context) (int64, error) {
	n, err := ts.purge(ctx)
	return n, fault.Wrap("paytemplate.purge", err)
}

// read parses what was typed into t. It returns the faults of both fields, joined.
func (t *Template) read(op string, typed Typed) error {
	name, wrongName := readName(op, typed.Name)
	var amount money.Amount
	var wrongAmount error
	if input.Clean(typed.Amount) != "" {
		amount, wrongAmount = limit.ReadAmount(op, typed.Amount)
	}
	t.Name, t.Amount = name, amount
	return fault.Join(wrongName, wrongAmount)
}

func readName(op, text string) (string, error) {
	refuse := func(reason fault.Reason) error {
		return fault.New(fault.Invalid, op, reason).At("name").With("Most", MaxName)
	}
	name := input.Name(text)
	switch {
	case name == "":
		return "", refuse("template.name_empty")
	//mutant:replace !utf8.ValidString(name), => TestTypedTemplates
	case !utf8.ValidString(name), strings.ContainsFunc(name, unicode.IsControl):
		return "", refuse("template.name_form")
	case utf8.RuneCountInString(name) > MaxName:
		return "", refuse("template.name_long")
	}
	return name, nil
}

// readPosition parses a place in a list of n as an index.
func readPosition(op, text string, n int) (int, error) {
	at, err := strconv.Atoi(input.Clean(text))
	if err != nil || at < 1 || at > n {
		return 0, fault.New(fault.Invalid, op, "template.position").At("position").With("Most", n)
	}
	return at - 1, nil
}

// moved returns the list with the template at one index at another.
func moved(list []Template, from, to int) []Template {
	one := list[from]
	return slices.Insert(slices.Delete(slices.Clone(list), from, from+1), to, one)
}

func indexOf(list []Template, id int64) int {
	return slices.IndexFunc(list, func(t Template) bool { return t.ID == id })
}
