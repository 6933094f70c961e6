// Package cashin credits cash taken by agents: the desks and terminals of KICB,
// Мобильник and QIWI, which all send OSMP requests.
//
// It guarantees that an agent's txn_id is credited at most once and always gets the
// same answer: every final result is committed before it is returned, so that cash
// that a terminal returned after a refusal is never credited later. An agent never
// owes more than its ceiling, and no wallet exceeds the balance limit of its level.
// The package does not depend on HTTP or XML.
package cashin

import (
	"context"
	"log/slog"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"elsom/internal/catalog"
	"elsom/internal/customer"
	"elsom/internal/database"
	"elsom/internal/fault"
	"elsom/internal/input"
	"elsom/internal/ledger"
	"elsom/internal/money"
	"elsom/internal/notice"
	"elsom/internal/outbox"
	"elsom/internal/phone"
)

// Result is a final result, as the OSMP protocol numbers it. An outcome that is not
// final is returned as an error.
type Result int

// The final results; a terminal does not repeat a request after them.
const (
	Done       Result = 0   // credited; for a check: would be credited
	BadAccount Result = 4   // the account is not a wallet number
	NoWallet   Result = 5   // no wallet has this number
	Refused    Result = 7   // the agent's ceiling is reached
	Blocked    Result = 79  // the wallet is blocked
	TooSmall   Result = 241 // nothing to credit
	TooLarge   Result = 242 // above the level's limit of one operation or of the balance
)

// TooLargeSum stands for every sum above money.Max.
const TooLargeSum = money.Max + 1

// Request is a terminal's request.
type Request struct {
	// TxnID is the agent's id of the payment: 1–28 digits, compared as a string.
	TxnID string
	// TxnDate is the terminal's time, YYYYMMDDHHMMSS; required by PayIn.
	TxnDate string
	// Account is the wallet's number as typed, at most 200 characters.
	Account string
	// Sum is at least 0, and TooLargeSum for every sum above money.Max.
	Sum money.Amount
}

// Answer is a final answer.
type Answer struct {
	Result Result
	// Reference is our id of the cash-in (prv_txn), the same for every repeat.
	Reference int64
	// Sum is the sum of the first request with this txn_id.
	Sum money.Amount
}

// Wallet is the wallet of a number.
type Wallet struct {
	// Customer is the holder's id and the wallet's account in the books.
	Customer int64
	Blocked  bool
	// Lang is the holder's language, ky, ru or en.
	Lang string
	// Level is the code of the holder's identification level in the catalog.
	Level string
	// Holder is told of the top-up.
	Holder customer.Customer
}

// Wallets finds wallets by number. ByPhone returns fault.NotFound if there is none.
type Wallets interface {
	ByPhone(ctx context.Context, number phone.Number) (Wallet, error)
}

// WalletsFunc is a function that implements Wallets.
type WalletsFunc func(ctx context.Context, number phone.Number) (Wallet, error)

// ByPhone calls f.
func (f WalletsFunc) ByPhone(ctx context.Context, number phone.Number) (Wallet, error) {
	return f(ctx, number)
}

// Levels returns the limits of identification levels; *catalog.Catalog implements it.
type Levels interface {
	Level(ctx context.Context, code string) (catalog.Level, error)
}

// Books posts transfers and reads balances; *ledger.Ledger implements it.
type Books interface {
	Post(ctx context.Context, p ledger.Posting) (ledger.Receipt, error)
	Balance(ctx context.Context, account int64) (money.Amount, error)
}

// Parts are the dependencies of CashIn.
type Parts struct {
	DB      *database.DB
	Books   Books
	Wallets Wallets
	Levels  Levels
	// Notifier wakes this process's SMS worker; nil: the worker finds the message at
	// its next poll.
	Notifier *outbox.Notifier
	// Notices are the ways besides SMS by which customers are told.
	Notices notice.Sender
	// Counters limits what an agent finds out about balances; nil: nothing is counted.
	Counters Counters
	// OnCeiling is called for each payment and check that an agent's ceiling refuses;
	// it may be nil.
	OnCeiling func(agent string)
}

// CashIn is the service that credits cash.
type CashIn struct{ parts Parts }

// New returns a service.
func New(parts Parts) *CashIn { return &CashIn{parts} }

// Maximum lengths of a request's texts, in characters.
const (
	maxTxnID   = 28
	maxAccount = 200
)

// check returns fault.Invalid for a malformed request.
func (r Request) check(pay bool) error {
	malformed := fault.New(fault.Invalid, "cashin.request", "")
	switch {
	case len(r.TxnID) < 1 || len(r.TxnID) > maxTxnID || !digits(r.TxnID):
		return malformed.At("txn_id")
	case pay && !isTxnDate(r.TxnDate):
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

func isTxnDate(s string) bool {
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

// account returns the number of the wallet, if the account is one, and the text to
// store and compare: the number, or else the account as typed.
func (r Request) account() (number phone.Number, text string) {
	number, err := phone.Parse(r.Account)
	if err != nil {
		return "", input.Clean(r.Account)
	}
	return number, number.String()
}

// Check returns the result that PayIn would return now, and changes nothing. It
// ignores whether the txn_id was used, and checks the sum only if it is above zero.
//
// Errors: Invalid (malformed); TooMany if the agent has asked too often which sums fit
// into the wallet. After any but the first the terminal may repeat the request.
func (c *CashIn) Check(ctx context.Context, agent Agent, r Request) (Result, error) {
	if err := r.check(false); err != nil {
		return 0, err
	}
	number, _ := r.account()
	found, err := c.find(ctx, number)
	if err != nil || found.result != Done || r.Sum == 0 {
		return found.result, err
	}
	if found.tooLarge(r.Sum) {
		return TooLarge, nil
	}
	if full, err := c.full(ctx, agent, found, r.Sum); err != nil || full {
		return TooLarge, err
	}
	till, err := c.parts.Books.Balance(ctx, agent.Till)
	if err != nil {
		return 0, fault.Wrap("cashin.find", err)
	}
	if till-r.Sum < -agent.Ceiling {
		c.ceilingRefused(ctx, agent)
		return Refused, nil
	}
	return Done, nil
}

// full reports whether the sum would raise the wallet above the balance limit of its
// level. The answer is counted; above the limit of balanceQuestions it is
// fault.TooMany, whatever the balance.
func (c *CashIn) full(ctx context.Context, agent Agent, found target, sum money.Amount) (bool, error) {
	limit := found.level.Balance
	if limit == 0 {
		return false, nil
	}
	//mutant:drop TestBalanceIsNotFoundByAsking/sqlite
	if err := c.countQuestions(ctx, agent, found.wallet, 1); err != nil {
		return false, err
	}
	balance, err := c.parts.Books.Balance(ctx, found.wallet.Customer)
	if err != nil {
		return false, fault.Wrap("cashin.find", err)
	}
	if sum <= limit-balance {
		return false, nil
	}
	//mutant:drop TestBalanceIsNotFoundByAsking/sqlite
	c.countRefusal(ctx, agent, found.wallet, 1)
	return true, nil
}

// ceilingRefused logs a refusal by an agent's ceiling and calls OnCeiling.
func (c *CashIn) ceilingRefused(ctx context.Context, agent Agent) {
	slog.WarnContext(ctx, "cashin: refused by the agent's ceiling; settle, or raise the ceiling", "agent", agent.Code)
	if c.parts.OnCeiling != nil {
		c.parts.OnCeiling(agent.Code)
	}
}

// target is the wallet that a request is for.
type target struct {
	result Result // Done: the wallet exists and is not blocked; otherwise the refusal
	wallet Wallet
	level  catalog.Level
}

func (f target) tooLarge(sum money.Amount) bool {
	return sum > money.Max || (f.level.Operation > 0 && sum > f.level.Operation)
}

func (c *CashIn) find(ctx context.Context, number phone.Number) (target, error) {
	if number == "" {
		return target{result: BadAccount}, nil
	}
	wallet, err := c.parts.Wallets.ByPhone(ctx, number)
	switch {
	case fault.Is(err, fault.NotFound):
		return target{result: NoWallet}, nil
	case err != nil:
		return target{}, fault.Wrap("cashin.find", err)
	case wallet.Blocked:
		return target{result: Blocked}, nil
	}
	level, err := c.parts.Levels.Level(ctx, wallet.Level)
	if err != nil {
		return target{}, fault.Wrap("cashin.find", err)
	}
	return target{result: Done, wallet: wallet, level: level}, nil
}
