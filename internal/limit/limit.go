// Package limit applies the limits of a customer's level to the amounts that leave
// a wallet, by payments and by transfers, and parses amounts as typed.
//
// Payments and transfers count toward the same limits. The limits hold for concurrent
// operations too: the ledger applies them where it debits the wallet (see Use), and
// a rider checks the customer under its locks. The package moves no money. Its reasons
// begin with "payment.", because customers are shown the same texts for payments and
// transfers.
package limit

import (
	"context"
	"errors"
	"time"

	"elsom/internal/catalog"
	"elsom/internal/customer"
	"elsom/internal/database"
	"elsom/internal/fault"
	"elsom/internal/ledger"
	"elsom/internal/money"
)

// ReadAmount parses an amount in som as typed by a customer. It returns
// fault.Invalid at "amount" for any other text and for zero.
func ReadAmount(op, text string) (money.Amount, error) {
	amount, err := money.Parse(text)
	var reason fault.Reason
	switch {
	case errors.Is(err, money.ErrEmpty):
		reason = "payment.amount_empty"
	case errors.Is(err, money.ErrDecimals):
		reason = "payment.amount_decimals"
	//mutant:replace , err == nil && amount == 0 => ./internal/payment TestQuoteRefusesBadInput
	case errors.Is(err, money.ErrNegative), err == nil && amount == 0:
		reason = "payment.amount_zero"
	case errors.Is(err, money.ErrTooLarge):
		reason = "payment.amount_large"
	case err != nil:
		reason = "payment.amount_form"
	default:
		return amount, nil
	}
	return 0, fault.New(fault.Invalid, op, reason).At("amount")
}

// Limits checks operations before they are posted.
type Limits struct {
	db      *database.DB
	ledger  *ledger.Ledger
	catalog *catalog.Catalog
}

// New returns the limits on the given parts.
func New(db *database.DB, l *ledger.Ledger, c *catalog.Catalog) Limits { return Limits{db, l, c} }

// Check returns an error if a customer can't send total now: fault.Insufficient
// with the argument Balance, or fault.Limit with the argument Left, both at
// "amount". Concurrent operations may change the result; the ledger decides.
func (l Limits) Check(ctx context.Context, op string, c customer.Customer, total money.Amount) error {
	return l.check(ctx, op, c, total, true)
}

// CheckSeveral is Check for operations that a customer sends one after the other: each
// must be within the limit of one operation, and all together within the balance and the
// other limits.
func (l Limits) CheckSeveral(ctx context.Context, op string, c customer.Customer, totals []money.Amount) error {
	level, err := LevelOf(ctx, l.db, l.catalog, c)
	if err != nil {
		return err
	}
	state, err := l.ledger.State(ctx, c.ID)
	if err != nil {
		return fault.Wrap(op, err)
	}
	all, ok := money.Sum(totals...)
	for _, total := range totals {
		if err := checkOperation(level, total); err != nil {
			return err
		}
	}
	//mutant:drop ./internal/paylist TestLimitsOfSeveral
	if !ok || all > state.Balance {
		return InsufficientFunds(op, state.Balance, all)
	}
	return checkSums(level, spentOf(c, state, l.db.Now()), all)
}

// CheckLimits is Check without the balance, for channels that ask for the PIN
// later: the balance could otherwise be found without a PIN, by trying amounts.
func (l Limits) CheckLimits(ctx context.Context, op string, c customer.Customer, total money.Amount) error {
	return l.check(ctx, op, c, total, false)
}

func (l Limits) check(ctx context.Context, op string, c customer.Customer, total money.Amount, withBalance bool) error {
	level, err := LevelOf(ctx, l.db, l.catalog, c)
	if err != nil {
		return err
	}
	state, err := l.ledger.State(ctx, c.ID)
	if err != nil {
		return fault.Wrap(op, err)
	}
	if withBalance && total > state.Balance {
		return InsufficientFunds(op, state.Balance, total)
	}
	return checkLevel(level, spentOf(c, state, l.db.Now()), total)
}

// spentOf returns what counts toward a customer's limits at a time: what was spent from
// the wallet, and what closed wallets of the number spent, because a new wallet does not
// reset the limits.
func spentOf(c customer.Customer, state ledger.State, at time.Time) customer.Spent {
	spent := c.SpentBefore(at)
	day, month := state.Spent.At(ledger.DayOf(at))
	return customer.Spent{Day: spent.Day + day, Month: spent.Month + month}
}

// LevelOf returns the level whose limits apply to a customer. It returns
// fault.Unavailable if the customer's level or the catalog is not as it was signed.
func LevelOf(ctx context.Context, db *database.DB, levels *catalog.Catalog, c customer.Customer) (catalog.Level, error) {
	//mutant:drop ./internal/payment TestForgedCustomer
	if err := customer.CheckSigned(ctx, db, c); err != nil {
		return catalog.Level{}, err
	}
	return levels.Level(ctx, c.Level)
}

// Remaining is what a customer may still send and receive. A limit of 0 in Level
// means none; the field for what remains of it is then 0 too.
type Remaining struct {
	Level      catalog.Level
	Balance    money.Amount
	Day, Month money.Amount // what may still be sent today and this month
	Receivable money.Amount // what the wallet may still receive
}

// Remaining returns the limits of a customer and what remains of them.
func (l Limits) Remaining(ctx context.Context, c customer.Customer) (Remaining, error) {
	const op = "limit.remaining"
	level, err := l.catalog.Level(ctx, c.Level)
	if err != nil {
		return Remaining{}, err
	}
	state, err := l.ledger.State(ctx, c.ID)
	if err != nil {
		return Remaining{}, fault.Wrap(op, err)
	}
	spent, left := spentOf(c, state, l.db.Now()), Remaining{Level: level, Balance: state.Balance}
	if level.Day > 0 {
		left.Day = max(0, level.Day-spent.Day)
	}
	if level.Month > 0 {
		left.Month = max(0, level.Month-spent.Month)
	}
	if level.Balance > 0 {
		left.Receivable = max(0, level.Balance-state.Balance)
	}
	return left, nil
}

// AtClosing returns what counts toward a customer's limits now, and the number of open
// payments, in the transaction that closes the wallet.
func AtClosing(tx *database.Tx, c customer.Customer) (spent customer.Spent, open int, err error) {
	state, err := ledger.StateIn(tx, c.ID)
	if err != nil {
		return spent, 0, err
	}
	open, err = countOpenPayments(tx, c.ID)
	return spentOf(c, state, tx.Now()), open, err
}

// InsufficientFunds returns the refusal for a balance that is lower than the total; its
// arguments are Balance and Missing.
func InsufficientFunds(op string, balance, total money.Amount) error {
	return fault.New(fault.Insufficient, op, "payment.insufficient").With("Balance", balance).With("Missing", total-balance).At("amount")
}

// ExplainRefusal replaces the ledger's refusal to debit the wallet by the one that
// the customer is shown; total is the amount that was refused. It returns any other
// error unchanged.
func ExplainRefusal(op string, wallet int64, total money.Amount, err error) error {
	var below *ledger.BelowFloor
	if errors.As(err, &below) && below.Account == wallet {
		return InsufficientFunds(op, below.Balance, total)
	}
	var over *ledger.OverLimit
	if errors.As(err, &over) && over.Account == wallet {
		if over.Month {
			return overLimit("payment.limit_month", over.Left)
		}
		return overLimit("payment.limit_day", over.Left)
	}
	var closed *ledger.Closed
	if errors.As(err, &closed) && closed.Account == wallet {
		return fault.New(fault.Forbidden, op, customer.SessionEnded)
	}
	return err
}

func overLimit(reason fault.Reason, left money.Amount) error {
	return fault.New(fault.Limit, "payment.limit", reason).With("Left", max(left, 0)).At("amount")
}

// checkLevel returns fault.Limit if total, added to what was spent, exceeds a
// limit.
func checkLevel(level catalog.Level, spent customer.Spent, total money.Amount) error {
	if err := checkOperation(level, total); err != nil {
		return err
	}
	return checkSums(level, spent, total)
}

// checkSums returns fault.Limit if total, added to what was spent, exceeds the limit of the
// day or of the month.
func checkSums(level catalog.Level, spent customer.Spent, total money.Amount) error {
	switch {
	case level.Day > 0 && spent.Day+total > level.Day:
		return overLimit("payment.limit_day", level.Day-spent.Day)
	case level.Month > 0 && spent.Month+total > level.Month:
		return overLimit("payment.limit_month", level.Month-spent.Month)
	}
	return nil
}

// checkOperation returns fault.Limit if total exceeds the limit of one operation.
func checkOperation(level catalog.Level, total money.Amount) error {
	//mutant:replace total > level.Operation => false ./internal/payment TestLimits
	if level.Operation > 0 && total > level.Operation {
		return overLimit("payment.limit_operation", level.Operation)
	}
	return nil
}

// debit is an amount to be taken out of a wallet, with the customer as read at
// the beginning of the request.
type debit struct {
	customer customer.Customer
	total    money.Amount
	level    catalog.Level
}

// Use makes the entry that debits a customer's wallet count toward the limits of the
// level, which the ledger applies. at is the time of the request: it decides whether what
// closed wallets of the number spent still counts.
func Use(c customer.Customer, level catalog.Level, at time.Time) *ledger.LimitUse {
	before := c.SpentBefore(at)
	return &ledger.LimitUse{Limits: ledger.Limits{Day: without(level.Day, before.Day), Month: without(level.Month, before.Month)}}
}

// without returns what other wallets have left of a limit, as ledger.Limits has it.
func without(limit, spent money.Amount) money.Amount {
	switch {
	case limit <= 0:
		return 0
	case spent >= limit:
		return -1
	}
	return limit - spent
}

// Rider returns the rider of a posting that takes total out of a customer's wallet.
// It refuses the posting if total exceeds the level's limit of one operation, or if the
// customer was blocked or put on hold, or the request's session has ended or its customer
// changed (customer.Status.SignedIn), since the request read them.
func Rider(c customer.Customer, total money.Amount, level catalog.Level) database.Rider {
	return debitRider.Row(debit{c, total, level})
}

// checkDebits checks the customers of debits.
func checkDebits(tx *database.Tx, rows []debit) (func(i int) error, error) {
	all := make([]customer.Customer, len(rows))
	for i, r := range rows {
		all[i] = r.customer
	}
	current, err := customer.ReadStatus(tx, all)
	if err != nil {
		return nil, err
	}
	now := tx.Now()
	return func(i int) error {
		if err := checkUnchanged(rows[i].customer, current, now); err != nil {
			return err
		}
		//mutant:replace checkOperation(rows[i].level, rows[i].total) => nil ./internal/payment TestAcceptSeesALowerLimit
		return checkOperation(rows[i].level, rows[i].total)
	}, nil
}

// checkUnchanged returns fault.Forbidden if the customer is blocked or on hold now, or with
// customer.SessionEnded if the request's session has ended or its customer has changed since
// the request read them.
func checkUnchanged(before customer.Customer, current customer.Status, at time.Time) error {
	now := current.Of(before.ID)
	switch {
	//mutant:drop ./internal/payment TestAcceptSeesChangesSinceTheRequest
	case now.Blocked:
		return fault.New(fault.Forbidden, "payment.blocked", "payment.blocked")
	//mutant:drop ./internal/payment TestAcceptSeesChangesSinceTheRequest
	case !current.SignedIn(before, at):
		return fault.New(fault.Forbidden, "payment.session_ended", customer.SessionEnded)
	}
	//mutant:replace now => before ./internal/payment TestAcceptSeesChangesSinceTheRequest
	return customer.CheckHold(now, at)
}
