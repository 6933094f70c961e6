package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"text/tabwriter"
	"time"

	"elsom/internal/customer"
	"elsom/internal/ledger"
	"elsom/internal/limit"
	"elsom/internal/money"
	"elsom/internal/wallet"
	"elsom/web/session"
)

type customerShow struct {
	Wallet
	Reveal bool   `help:"Show personal data unmasked. Needs --staff and --reason, which are stored."`
	Staff  string `help:"Name of the member of staff, with --reveal."`
	Reason string `help:"Why the data are needed, with --reveal."`
	JSON   bool   `name:"json" help:"Print JSON; amounts are in tyiyn."`
}

// Run shows a wallet. What is shown unmasked is stored first.
func (s customerShow) Run(ctx context.Context) error {
	if !s.Reveal {
		if s.Staff != "" || s.Reason != "" {
			return usageError("--staff and --reason go with --reveal")
		}
		return s.with(ctx, s.show)
	}
	if s.Staff == "" || s.Reason == "" {
		return usageError("--reveal needs --staff and --reason, which are stored")
	}
	by := StaffFlags{s.Staff, s.Reason}
	return s.change(ctx, "customer show", by, func(ctx context.Context, d desk) error {
		if err := d.RecordReveal(ctx, d.holder.ID, by.action()); err != nil {
			return err
		}
		return s.show(ctx, d)
	})
}

// shownCustomer is a wallet as it is printed.
type shownCustomer struct {
	ID         int64     `json:"id"`
	Phone      string    `json:"phone"`
	Name       string    `json:"name"`
	Email      string    `json:"email"`
	INN        string    `json:"inn"`
	Lang       string    `json:"lang"`
	Registered string    `json:"registered"`
	CreatedAt  time.Time `json:"created_at"`
	Site       bool      `json:"site_login"`
	PIN        string    `json:"pin"`
	Blocked    bool      `json:"blocked"`
	BlockedOut bool      `json:"blocked_out"`
	HoldUntil  any       `json:"hold_until"`
	Sessions   int       `json:"sessions"`
	Operations int       `json:"operations"`
	Signature  string    `json:"signature"`

	Balance   money.Amount `json:"balance"`
	Level     string       `json:"level"`
	Operation money.Amount `json:"limit_operation"` // 0: none, as in the next three
	Day       money.Amount `json:"limit_day"`
	Month     money.Amount `json:"limit_month"`
	Most      money.Amount `json:"limit_balance"`
	DayLeft   money.Amount `json:"left_day"`
	MonthLeft money.Amount `json:"left_month"`
}

func (s customerShow) show(ctx context.Context, d desk) error {
	shown, err := s.read(ctx, d)
	if err != nil {
		return err
	}
	if s.JSON {
		encoder := json.NewEncoder(os.Stdout)
		encoder.SetIndent("", "  ")
		return encoder.Encode(shown)
	}
	return shown.print()
}

func (s customerShow) read(ctx context.Context, d desk) (shownCustomer, error) {
	books := ledger.New(d.db, ledger.Options{})
	defer books.Close()
	h := d.holder
	left, err := limit.New(d.db, books, d.catalog).Remaining(ctx, h.Customer)
	if err != nil {
		return shownCustomer{}, err
	}
	page, err := wallet.New(books).Statement(ctx, h.ID, wallet.Both, 0, 1)
	if err != nil {
		return shownCustomer{}, err
	}
	open, err := session.Count(ctx, d.db, h.ID, h.SessionEpoch)
	if err != nil {
		return shownCustomer{}, err
	}
	name, email, inn := h.Masked()
	number := h.Phone.Masked()
	if s.Reveal {
		name, email, inn, number = h.Name, h.Email, h.INN, h.Phone.Pretty()
	}
	return shownCustomer{
		ID: h.ID, Phone: number, Name: name, Email: email, INN: inn, Lang: h.Lang, Registered: string(h.Registered), CreatedAt: h.CreatedAt.UTC(),
		Site: h.HasPassword, PIN: pinText(h.PIN), Blocked: h.Blocked, BlockedOut: h.BlockedOut, HoldUntil: timeOrNull(h.HoldUntil),
		Signature: signedText(d.db, customer.CheckSigned(ctx, d.db, h.Customer)),
		Sessions:  open, Operations: page.Count, Balance: left.Balance, Level: h.Level, Operation: left.Level.Operation,
		Day: left.Level.Day, Month: left.Level.Month, Most: left.Level.Balance, DayLeft: left.Day, MonthLeft: left.Month,
	}, nil
}

func pinText(p customer.PINState) string {
	switch {
	case !p.Set:
		return "none"
	case !p.LockedUntil.IsZero():
		return "locked until " + localTime(p.LockedUntil)
	case p.Used:
		return "sent by SMS, used once"
	case p.Expired:
		return "sent by SMS, expired"
	case p.Issued:
		return "sent by SMS, not used"
	}
	return "set by the holder"
}

func (c shownCustomer) print() error {
	table := tabwriter.NewWriter(os.Stdout, 0, 4, 2, ' ', 0)
	line := func(name, format string, args ...any) {
		_, _ = fmt.Fprintf(table, "%s\t"+format+"\n", append([]any{name}, args...)...)
	}
	line("Wallet", "%d, opened by %s", c.ID, c.Registered)
	line("Opened", "%s", localTime(c.CreatedAt))
	line("Number", "%s", c.Phone)
	line("Name", "%s", dash(c.Name))
	line("E-mail", "%s", dash(c.Email))
	line("INN", "%s", dash(c.INN))
	line("Balance", "%s som", c.Balance)
	line("Level", "%s", c.Level)
	line("Limits", "an operation %s, a day %s, a month %s, the balance %s", limitText(c.Operation), limitText(c.Day), limitText(c.Month), limitText(c.Most))
	if c.Day > 0 {
		line("Left today", "%s som", c.DayLeft)
	}
	if c.Month > 0 {
		line("Left this month", "%s som", c.MonthLeft)
	}
	line("Blocks", "%s", blockText(c))
	if until, ok := c.HoldUntil.(time.Time); ok {
		line("Hold", "until %s: without a PIN no money goes out before", localTime(until))
	}
	line("PIN", "%s", c.PIN)
	line("Site", "%s, %d sessions", map[bool]string{true: "registered", false: "not registered"}[c.Site], c.Sessions)
	line("Operations", "%d", c.Operations)
	line("Signed columns", "%s", c.Signature)
	return table.Flush()
}

func limitText(a money.Amount) string {
	if a == 0 {
		return "none"
	}
	return a.String()
}

func blockText(c shownCustomer) string {
	switch {
	case c.Blocked:
		return "all"
	case c.BlockedOut:
		return "outgoing money"
	}
	return "none"
}
