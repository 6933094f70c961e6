// Package limit is what leaves wallets, by whatever act: it reads an amount
// as it is typed, and holds the limits of a level against all that a wallet
// has sent.
//
// It promises that payments and transfers count together, and that the limits
// hold under the locks of the books, also for two at once. It moves no money:
// its verdicts ride on the postings of those who do. Its words are those of
// payments, since people are told the same.
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

// ReadAmount reads an amount above zero in som, as typed; Invalid at "amount".
func ReadAmount(act, text string) (money.Amount, error) {
	amount, err := money.Parse(text)
	var reason fault.Reason
	switch {
	case errors.Is(err, money.ErrEmpty):
		reason = "payment.amount_empty"
	case errors.Is(err, money.ErrDecimals):
		reason = "payment.amount_decimals"
	case errors.Is(err, money.ErrNegative), err == nil && amount == 0:
		reason = "payment.amount_zero"
	case errors.Is(err, money.ErrTooLarge):
		reason = "payment.amount_large"
	case err != nil:
		reason = "payment.amount_form"
	default:
		return amount, nil
	}
	return 0, fault.New(fault.Invalid, act, reason).At("amount")
}

// Limits tells early what the books would refuse.
type Limits struct {
	db      *database.DB
	ledger  *ledger.Ledger
	catalog *catalog.Catalog
}

// New reads limits and balances from the parts given.
func New(db *database.DB, l *ledger.Ledger, c *catalog.Catalog) Limits { return Limits{db, l, c} }

// Affordable tells what stands against sending total now: Insufficient with
// {{.Balance}} or Limit with {{.Left}}, at "amount". It counts only when the
// money moves; see Within.
func (l Limits) Affordable(ctx context.Context, act string, c customer.Customer, total money.Amount) error {
	balance, err := l.ledger.Balance(ctx, c.ID)
	if err != nil {
		return err
	}
	if total > balance {
		return InsufficientFunds(act, balance)
	}
	return l.Allowed(ctx, act, c, total)
}

// Allowed is Affordable without the balance, for doors that show nothing of it
// before a PIN: trying sums would find it.
func (l Limits) Allowed(ctx context.Context, act string, c customer.Customer, total money.Amount) error {
	level, err := l.catalog.Level(ctx, c.Level)
	if err != nil {
		return err
	}
	spent, err := readSpent(ctx, l.db, c.ID)
	if err != nil {
		return fault.Wrap(act, err)
	}
	return exceeds(level, spent[c.ID], total)
}

// Remaining is what a customer may still send and receive. A limit of 0 in Level means
// that there is none; the field for what is left of it is then unused.
type Remaining struct {
	Level      catalog.Level
	Balance    money.Amount
	Day, Month money.Amount // what may still be sent today and this month
	Receivable money.Amount // what the wallet may still take in
}

// Remaining returns the limits of a customer and what is left of them.
func (l Limits) Remaining(ctx context.Context, c customer.Customer) (Remaining, error) {
	const act = "spending.left"
	level, err := l.catalog.Level(ctx, c.Level)
	if err != nil {
		return Remaining{}, err
	}
	balance, err := l.ledger.Balance(ctx, c.ID)
	if err != nil {
		return Remaining{}, err
	}
	spent, err := readSpent(ctx, l.db, c.ID)
	if err != nil {
		return Remaining{}, fault.Wrap(act, err)
	}
	sum, left := spent[c.ID], Remaining{Level: level, Balance: balance}
	if level.Day > 0 {
		left.Day = max(0, level.Day-sum.Day)
	}
	if level.Month > 0 {
		left.Month = max(0, level.Month-sum.Month)
	}
	if level.Balance > 0 {
		left.Receivable = max(0, level.Balance-balance)
	}
	return left, nil
}

// AtClosing returns what a wallet has spent and how many of its payments are open, in
// the transaction that closes it.
func AtClosing(tx *database.Tx, customerID int64) (spent customer.Spent, open int, err error) {
	sums, err := sumSpent(tx, []int64{customerID})
	if err != nil {
		return spent, 0, err
	}
	open, err = openPayments(tx, customerID)
	return customer.Spent{Day: sums[customerID].Day, Month: sums[customerID].Month}, open, err
}

// InsufficientFunds is the refusal of a wallet that holds too little.
func InsufficientFunds(act string, balance money.Amount) error {
	return fault.New(fault.Insufficient, act, "payment.insufficient").With("Balance", balance).At("amount")
}

// ExplainRefusal makes people's words of the books' refusal to take money out of a
// wallet; any other error stays as it is.
func ExplainRefusal(act string, wallet int64, err error) error {
	var below *ledger.BelowFloor
	if errors.As(err, &below) && below.Account == wallet {
		return InsufficientFunds(act, below.Balance)
	}
	var closed *ledger.Closed
	if errors.As(err, &closed) && closed.Account == wallet {
		return fault.New(fault.Forbidden, act, "payment.session_ended")
	}
	return err
}

// exceeds holds the limits of a level against what was spent and what is to be.
func exceeds(level catalog.Level, spent spent, total money.Amount) error {
	over := func(reason fault.Reason, left money.Amount) error {
		return fault.New(fault.Limit, "payment.limit", reason).With("Left", max(left, 0)).At("amount")
	}
	switch {
	case level.Operation > 0 && total > level.Operation:
		return over("payment.limit_operation", level.Operation)
	case level.Day > 0 && spent.Day+total > level.Day:
		return over("payment.limit_day", level.Day-spent.Day)
	case level.Month > 0 && spent.Month+total > level.Month:
		return over("payment.limit_month", level.Month-spent.Month)
	}
	return nil
}

// spending is what is about to leave a wallet; the customer as the request found
// them.
type spending struct {
	customer customer.Customer
	total    money.Amount
	level    catalog.Level
}

// Rider rides on the posting that takes total out of a customer's wallet. It
// refuses it above the limits of the level, and where the wallet was blocked or
// held, or all sessions were ended, since the request began.
func Rider(c customer.Customer, total money.Amount, level catalog.Level) database.Rider {
	return spendingRider.Row(spending{c, total, level})
}

// judge asks for each customer in the order in which the outlays stand in the
// batch, whatever act they are of.
func judge(tx *database.Tx, rows []spending) (func(i int) error, error) {
	var all, limited []int64
	for _, r := range rows {
		all = append(all, r.customer.ID)
		if r.level.Day > 0 || r.level.Month > 0 {
			limited = append(limited, r.customer.ID)
		}
	}
	standing, err := customer.Standing(tx, all)
	if err != nil {
		return nil, err
	}
	sums, err := sumSpent(tx, limited)
	if err != nil {
		return nil, err
	}
	now := tx.Now()
	return func(i int) error {
		id, total := rows[i].customer.ID, rows[i].total
		if err := stands(rows[i].customer, standing[id], now); err != nil {
			return err
		}
		//mutant:drop ./internal/payment TestLimits
		if err := exceeds(rows[i].level, sums[id], total); err != nil {
			return err
		}
		sum := sums[id]
		sums[id] = spent{ID: id, Day: sum.Day + total, Month: sum.Month + total}
		return nil
	}, nil
}

// stands tells what has come between a request's beginning and its posting.
func stands(before, now customer.Customer, at time.Time) error {
	switch {
	//mutant:drop ./internal/payment TestChangedSinceTheRequestBegan
	case now.Blocked:
		return fault.New(fault.Forbidden, "payment.blocked", "payment.blocked")
	//mutant:drop ./internal/payment TestChangedSinceTheRequestBegan
	case now.SessionEpoch != before.SessionEpoch:
		return fault.New(fault.Forbidden, "payment.session_ended", "payment.session_ended")
	}
	//mutant:replace now => before ./internal/payment TestChangedSinceTheRequestBegan
	return customer.CheckHold(now, at)
}

// periods gives the beginnings of the day and of the month in Bishkek.
func periods(now time.Time) (day, month time.Time) {
	local := now.In(customer.Bishkek)
	day = time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, customer.Bishkek)
	month = time.Date(local.Year(), local.Month(), 1, 0, 0, 0, 0, customer.Bishkek)
	return database.StoredTime(day), database.StoredTime(month)
}
