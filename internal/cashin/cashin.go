// Package cashin takes the cash that agents bring: KICB's desks and
// terminals, Мобильник, QIWI, all speaking OSMP.
//
// It promises that an agent's txn_id is credited once and answered alike for
// ever: every final result is committed before it is told, so cash that a
// terminal was told to give back is never credited later. An agent never owes
// more than its ceiling, and a wallet never gets more than its level may hold.
// It knows nothing of HTTP and XML, and never credits outside the books.
package cashin

import (
	"context"
	"log/slog"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"elsom/internal/catalog"
	"elsom/internal/database"
	"elsom/internal/fault"
	"elsom/internal/input"
	"elsom/internal/ledger"
	"elsom/internal/money"
	"elsom/internal/outbox"
	"elsom/internal/phone"
)

// Result is a final result by the numbers of OSMP. What is not final comes as
// a fault instead.
type Result int

// The final results. A terminal doesn't repeat after them.
const (
	Done       Result = 0   // credited; for a check: may be paid
	BadAccount Result = 4   // the account is no wallet number
	NoWallet   Result = 5   // no wallet has this number
	Refused    Result = 7   // the agent's ceiling is reached
	Blocked    Result = 79  // the wallet is blocked
	TooSmall   Result = 241 // nothing to credit
	TooLarge   Result = 242 // above one operation, or the wallet would hold too much
)

// TooLargeSum stands for every sum above what the books can hold.
const TooLargeSum = money.Max + 1

// Request is what a terminal asks.
type Request struct {
	// TxnID is the agent's number of the payment: 1–28 digits, an exact string.
	TxnID string
	// TxnDate is the terminal's time, YYYYMMDDHHMMSS; for PayIn.
	TxnDate string
	// Account is the wallet's number as people type it, at most 200 characters.
	Account string
	// Sum is at least 0; TooLargeSum for all that is above money.Max.
	Sum money.Amount
}

// Answer is a final answer.
type Answer struct {
	Result Result
	// Reference is our number of the cash-in (prv_txn), the same at each repeat.
	Reference int64
	// Sum is what the answer speaks of.
	Sum money.Amount
}

// Wallet is what a cash-in has to know of a wallet.
type Wallet struct {
	// Customer is the holder's id and the wallet's account in the books.
	Customer int64
	Blocked  bool
	// Lang is the holder's language, ky, ru or en.
	Lang string
	// Level is the holder's identification level in the catalogue.
	Level string
}

// Wallets finds wallets by their numbers; fault.NotFound where there is none.
type Wallets interface {
	ByPhone(ctx context.Context, number phone.Number) (Wallet, error)
}

// WalletsFunc makes Wallets of a function.
type WalletsFunc func(ctx context.Context, number phone.Number) (Wallet, error)

// ByPhone calls the function.
func (f WalletsFunc) ByPhone(ctx context.Context, number phone.Number) (Wallet, error) {
	return f(ctx, number)
}

// Levels knows the limits of identification levels; the catalogue does.
type Levels interface {
	Level(ctx context.Context, code string) (catalog.Level, error)
}

// Books are the ledger's.
type Books interface {
	Post(ctx context.Context, p ledger.Posting) (ledger.Receipt, error)
	Balance(ctx context.Context, account int64) (money.Amount, error)
}

// Parts are what cash-in stands on.
type Parts struct {
	DB      *database.DB
	Books   Books
	Wallets Wallets
	Levels  Levels
	// Bell wakes this process's SMS worker; nil: it finds the promise itself.
	Bell *outbox.Notifier
	// Ceiling is called for each payment and check that an agent's ceiling
	// refuses; it may be nil.
	Ceiling func(agent string)
}

// CashIn takes cash.
type CashIn struct{ Parts }

// New makes the act of its parts.
func New(parts Parts) *CashIn { return &CashIn{parts} }

// Bounds of a request's texts, in characters.
const (
	maxTxnID   = 28
	maxAccount = 200
)

// check refuses a malformed request; such a one is not remembered.
func (r Request) check(pay bool) error {
	malformed := fault.New(fault.Invalid, "cashin.request", "")
	switch {
	case len(r.TxnID) < 1 || len(r.TxnID) > maxTxnID || !digits(r.TxnID):
		return malformed.At("txn_id")
	case pay && !dated(r.TxnDate):
		return malformed.At("txn_date")
	case utf8.RuneCountInString(r.Account) > maxAccount || !printable(input.Clean(r.Account)):
		return malformed.At("account")
	case r.Sum < 0 || r.Sum > TooLargeSum:
		return malformed.At("sum")
	}
	return nil
}

func digits(s string) bool {
	return strings.Trim(s, "0123456789") == ""
}

func dated(s string) bool {
	const form = "20060102150405"
	if len(s) != len(form) || !digits(s) {
		return false
	}
	_, err := time.Parse(form, s)
	return err == nil
}

func printable(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) })
}

// account gives the request's account as it is compared and kept: the
// wallet's number, or the text itself where it is none.
func (r Request) account() (number phone.Number, text string) {
	number, err := phone.Parse(r.Account)
	if err != nil {
		return "", input.Clean(r.Account)
	}
	return number, number.String()
}

// Check tells what PayIn would answer now, and writes nothing. It ignores
// whether the txn_id was seen, and judges the sum only when it is above zero.
// Failures: Invalid (malformed), Unavailable and Internal (ask again).
func (c *CashIn) Check(ctx context.Context, agent Agent, r Request) (Result, error) {
	if err := r.check(false); err != nil {
		return 0, err
	}
	number, _ := r.account()
	found, err := c.judge(ctx, number)
	if err != nil || found.result != Done || r.Sum == 0 {
		return found.result, err
	}
	if found.tooLarge(r.Sum) {
		return TooLarge, nil
	}
	balance, err := c.Books.Balance(ctx, found.wallet.Customer)
	if err != nil {
		return 0, fault.Wrap("cashin.judge", err)
	}
	if most := found.level.Balance; most > 0 && r.Sum > most-balance {
		return TooLarge, nil
	}
	till, err := c.Books.Balance(ctx, agent.Till)
	if err != nil {
		return 0, fault.Wrap("cashin.judge", err)
	}
	if till-r.Sum < -agent.Ceiling {
		c.ceilingRefused(ctx, agent)
		return Refused, nil
	}
	return Done, nil
}

// ceilingRefused logs and counts a refusal by an agent's ceiling.
func (c *CashIn) ceilingRefused(ctx context.Context, agent Agent) {
	slog.WarnContext(ctx, "cashin: refused by the agent's ceiling; settle, or raise the ceiling", "agent", agent.Code)
	if c.Ceiling != nil {
		c.Ceiling(agent.Code)
	}
}

// finding is what is known of an account before the sum is looked at.
type finding struct {
	result Result // Done: there is a wallet that can be filled
	wallet Wallet
	level  catalog.Level
}

func (f finding) tooLarge(sum money.Amount) bool {
	return sum > money.Max || (f.level.Operation > 0 && sum > f.level.Operation)
}

func (c *CashIn) judge(ctx context.Context, number phone.Number) (finding, error) {
	if number == "" {
		return finding{result: BadAccount}, nil
	}
	wallet, err := c.Wallets.ByPhone(ctx, number)
	switch {
	case fault.Is(err, fault.NotFound):
		return finding{result: NoWallet}, nil
	case err != nil:
		return finding{}, fault.Wrap("cashin.judge", err)
	case wallet.Blocked:
		return finding{result: Blocked}, nil
	}
	level, err := c.Levels.Level(ctx, wallet.Level)
	if err != nil {
		return finding{}, fault.Wrap("cashin.judge", err)
	}
	return finding{result: Done, wallet: wallet, level: level}, nil
}
