package ledger

import (
	"context"

	"gorm.io/gorm"

	"elsom/internal/database"
	"elsom/internal/fault"
	"elsom/internal/money"
)

// sumColumns are the columns of accounts with a wallet's sums; NULL: it is not counted.
// Other accounts have none. moves is the number of all its entries: each write to the
// balance changes it, which shows those of an earlier release.
const sumColumns = "moves, count_in, count_out, sum_out, spent_on, spent_day, spent_month"

// lockAccounts locks the accounts that have a floor, in order of their ids, and
// returns their balances. Accounts without a floor are never locked.
func lockAccounts(tx *database.Tx, ids []int64) (map[int64]lockedAccount, error) {
	these, list := database.InList(tx.Dialect(), ids)
	rows, err := database.ScanAll(tx.Gorm().Raw(`SELECT id, balance, floor, closed_at IS NOT NULL, kind = 'wallet' AND moves IS NULL,
			COALESCE(spent_on, 0), COALESCE(spent_day, 0), COALESCE(spent_month, 0)
		FROM accounts WHERE id `+these+` AND floor IS NOT NULL ORDER BY id`+tx.ForUpdate(), list), func(a *lockedAccount) []any {
		return []any{&a.ID, &a.Balance, &a.Floor, &a.Closed, &a.NotCounted, &a.Spent.On, &a.Spent.Day, &a.Spent.Month}
	})
	accounts := make(map[int64]lockedAccount, len(rows))
	for _, row := range rows {
		accounts[row.ID] = row
	}
	return accounts, err
}

// sum has the changes of an account by a batch, and the bounds of the result.
type sum struct {
	account         int64
	amount, ceiling money.Amount // a ceiling of 0: any
	tally           tally
	limits          Limits
}

func sumColumn(name string, sums []sum, value func(s *sum) int64) database.Column {
	return database.ColumnOf(name, "bigint", sums, value)
}

// addToAccounts adds sums to balances in one row, and to the other sums of wallets;
// database.ErrRowCount if an account does not exist, is closed, would pass its floor,
// its ceiling or its limits, has spent on a later day than these limits are of, or is a
// wallet that is not counted. The sums are ordered by
// account so that batches lock in the same order. A query plan may use another order; the
// batch is retried after a deadlock.
//
// What was spent is that of the later day: the row's, or v's (see Spent.add).
func addToAccounts(sums []sum) database.Update {
	return database.Update{
		//mutant:replace count_out + v.count_out => count_out TestSumsAreTheirEntries
		Set: `accounts SET balance = accounts.balance + v.amount, moves = accounts.moves + v.moves,
			count_in = accounts.count_in + v.count_in, count_out = accounts.count_out + v.count_out, sum_out = accounts.sum_out + v.sum_out,
			spent_on = CASE WHEN v.day > accounts.spent_on THEN v.day ELSE accounts.spent_on END,
			spent_day = CASE WHEN v.day > accounts.spent_on THEN v.spent_day WHEN v.day = accounts.spent_on THEN accounts.spent_day + v.spent_day
				ELSE accounts.spent_day END,
			spent_month = CASE WHEN v.day / 100 > accounts.spent_on / 100 THEN v.spent_month WHEN v.day / 100 = accounts.spent_on / 100
				THEN accounts.spent_month + v.spent_month ELSE accounts.spent_month END`,
		//mutant:replace balance + v.amount <= v.ceiling => balance = accounts.balance TestCases
		//mutant:replace (accounts.moves IS NOT NULL OR accounts.kind <> 'wallet') => TRUE TestBooksFromBefore
		//mutant:replace v.day_limit = 0 OR => TRUE OR TestLimitsOfTheDebit
		//mutant:replace v.month_limit = 0 OR => TRUE OR TestLimitsOfTheDebit
		//mutant:replace v.day_limit = 0 OR => TRUE OR TestHistoriesAreLinearizable
		//mutant:replace v.month_limit = 0 OR => TRUE OR TestHistoriesAreLinearizable
		//mutant:replace v.day_limit = 0 OR v.day >= accounts.spent_on => v.day_limit = 0 OR TRUE TestSlowerClockIsLimited
		//mutant:replace v.month_limit = 0 OR v.day >= accounts.spent_on => v.month_limit = 0 OR TRUE TestSlowerClockIsLimited
		Where: `accounts.id = v.id AND accounts.closed_at IS NULL AND (accounts.moves IS NOT NULL OR accounts.kind <> 'wallet')
			AND (accounts.floor IS NULL OR (accounts.balance + v.amount >= accounts.floor AND (v.ceiling = 0 OR accounts.balance + v.amount <= v.ceiling)))
			AND (v.day_limit = 0 OR v.day >= accounts.spent_on AND v.spent_day + CASE WHEN v.day > accounts.spent_on THEN 0 ELSE accounts.spent_day END <= v.day_limit)
			AND (v.month_limit = 0 OR v.day >= accounts.spent_on AND v.spent_month + CASE WHEN v.day / 100 > accounts.spent_on / 100 THEN 0 ELSE accounts.spent_month END <= v.month_limit)`,
		Values: []database.Column{
			sumColumn("id", sums, func(s *sum) int64 { return s.account }),
			sumColumn("amount", sums, func(s *sum) int64 { return int64(s.amount) }),
			sumColumn("ceiling", sums, func(s *sum) int64 { return int64(s.ceiling) }),
			sumColumn("moves", sums, func(s *sum) int64 { return s.tally.moves }),
			sumColumn("count_in", sums, func(s *sum) int64 { return s.tally.in }),
			sumColumn("count_out", sums, func(s *sum) int64 { return s.tally.outs }),
			sumColumn("sum_out", sums, func(s *sum) int64 { return int64(s.tally.out) }),
			sumColumn("day", sums, func(s *sum) int64 { return s.tally.spent.On }),
			sumColumn("spent_day", sums, func(s *sum) int64 { return int64(s.tally.spent.Day) }),
			sumColumn("spent_month", sums, func(s *sum) int64 { return int64(s.tally.spent.Month) }),
			sumColumn("day_limit", sums, func(s *sum) int64 { return int64(s.limits.Day) }),
			sumColumn("month_limit", sums, func(s *sum) int64 { return int64(s.limits.Month) }),
		},
	}
}

// refundedKey is the request key of the transfer that a refund t gives back. It has an
// index, the subject has none. Only where an earlier release posted the refund without a
// subject is the key made from that of the refund.
//
//mutant:replace WHEN t.subject_kind = 'payment' THEN => WHEN t.id = 0 THEN TestRefundsAreOfTheirPayment
//mutant:replace ':end', ':accept' => ':end', ':end' TestRefundsAreOfTheirPayment
const refundedKey = `CASE WHEN t.subject_kind = 'payment' THEN 'payment:' || CAST(t.subject_id AS VARCHAR) || ':accept'
	ELSE REPLACE(t.request_key, ':end', ':accept') END`

// countQuery returns the entries of wallets, summed by the day in Bishkek on which
// they count as spent or given back; 0: they are none. What the operations mean stands here and not
// only with those who post them, because the entries of earlier releases say no more.
func countQuery(dialect database.Dialect, these string) string {
	day := "CAST(strftime('%Y%m%d', spent_at, '+6 hours') AS BIGINT)"
	if dialect == database.Postgres {
		day = "CAST(to_char(spent_at AT TIME ZONE INTERVAL '+6 hours', 'YYYYMMDD') AS BIGINT)"
	}
	return `SELECT id, day, COUNT(*), SUM(CASE WHEN returns = 0 AND amount > 0 THEN 1 ELSE 0 END), SUM(CASE WHEN returns = 0 AND amount < 0 THEN 1 ELSE 0 END),
			CAST(-SUM(CASE WHEN returns = 1 OR amount < 0 THEN amount ELSE 0 END) AS BIGINT), CAST(-SUM(amount) AS BIGINT)
		FROM (SELECT id, amount, returns, CASE WHEN spent_at IS NULL THEN 0 ELSE ` + day + ` END AS day
			FROM (SELECT e.account_id AS id, e.amount, CASE WHEN t.act = 'payment.refund' AND e.amount > 0 THEN 1 ELSE 0 END AS returns,
				CASE WHEN t.act IN ('payment.accept', 'wallet.transfer') AND e.amount < 0 THEN t.posted_at
					WHEN t.act = 'payment.refund' AND e.amount > 0 THEN (SELECT o.posted_at FROM transfers o
						WHERE o.act = 'payment.accept' AND o.request_key = ` + refundedKey + `) END AS spent_at
				FROM entries e JOIN transfers t ON t.id = e.transfer_id WHERE e.account_id ` + these + `) m) s
		GROUP BY id, day`
}

// countedDay is a row of countQuery.
type countedDay struct {
	id, day int64
	sum     tally
	spent   money.Amount
}

// countDays returns the rows of countQuery.
func countDays(g *gorm.DB, dialect database.Dialect, wallets []int64) ([]countedDay, error) {
	these, list := database.InList(dialect, wallets)
	return database.ScanAll(g.Raw(countQuery(dialect, these), list), func(d *countedDay) []any {
		return []any{&d.id, &d.day, &d.sum.moves, &d.sum.in, &d.sum.outs, &d.sum.out, &d.spent}
	})
}

// countFromEntries returns the sums of wallets as their entries have them.
func countFromEntries(g *gorm.DB, dialect database.Dialect, wallets []int64) (map[int64]*sum, error) {
	rows, err := countDays(g, dialect, wallets)
	counted := make(map[int64]*sum, len(wallets))
	for _, id := range wallets {
		counted[id] = &sum{account: id}
	}
	for _, d := range rows {
		t := &counted[d.id].tally
		t.moves, t.in, t.outs, t.out = t.moves+d.sum.moves, t.in+d.sum.in, t.outs+d.sum.outs, t.out+d.sum.out
		if d.day != 0 {
			t.spent.add(d.day, d.spent)
		}
	}
	return counted, err
}

// countWallets counts those of the locked accounts that are wallets and not counted, and
// stores their sums.
func countWallets(tx *database.Tx, locked map[int64]lockedAccount) error {
	var ids []int64
	for id, account := range locked {
		if account.NotCounted {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	counted, err := countFromEntries(tx.Gorm(), tx.Dialect(), ids)
	if err != nil {
		return err
	}
	sums := make([]sum, 0, len(ids))
	for id, s := range counted {
		account := locked[id]
		//mutant:replace false, s.tally.spent => false, account.Spent TestHistoriesAreLinearizable
		account.NotCounted, account.Spent = false, s.tally.spent
		locked[id] = account
		sums = append(sums, *s)
	}
	return tx.Update(database.Update{
		Set: `accounts SET moves = v.moves, count_in = v.count_in, count_out = v.count_out, sum_out = v.sum_out,
			spent_on = v.spent_on, spent_day = v.spent_day, spent_month = v.spent_month`,
		Where: "accounts.id = v.id AND accounts.moves IS NULL",
		Values: []database.Column{
			sumColumn("id", sums, func(s *sum) int64 { return s.account }),
			sumColumn("moves", sums, func(s *sum) int64 { return s.tally.moves }),
			sumColumn("count_in", sums, func(s *sum) int64 { return s.tally.in }),
			sumColumn("count_out", sums, func(s *sum) int64 { return s.tally.outs }),
			sumColumn("sum_out", sums, func(s *sum) int64 { return int64(s.tally.out) }),
			sumColumn("spent_on", sums, func(s *sum) int64 { return s.tally.spent.On }),
			sumColumn("spent_day", sums, func(s *sum) int64 { return int64(s.tally.spent.Day) }),
			sumColumn("spent_month", sums, func(s *sum) int64 { return int64(s.tally.spent.Month) }),
		},
	})
}

// countLater sets what counts on a day toward the limits of those of the locked accounts
// that have spent on a later one, whose row doesn't have it: what was spent on this day
// and since, and in this month and since.
func countLater(tx *database.Tx, locked map[int64]lockedAccount, today int64) error {
	var ids []int64
	for id, account := range locked {
		if account.Spent.On > today {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	days, err := countDays(tx.Gorm(), tx.Dialect(), ids)
	if err != nil {
		return err
	}
	for _, id := range ids {
		account := locked[id]
		account.Spent = Spent{On: today}
		locked[id] = account
	}
	for _, d := range days {
		account := locked[d.id]
		account.Spent.add(min(d.day, today), d.spent)
		locked[d.id] = account
	}
	return nil
}

// readUncounted returns the next wallets that are not counted, by their ids.
func readUncounted(ctx context.Context, db *database.DB, after int64, n int) (ids []int64, err error) {
	err = db.Gorm(ctx).Raw("SELECT id FROM accounts WHERE kind = 'wallet' AND moves IS NULL AND id > ? ORDER BY id LIMIT ?", after, n).Scan(&ids).Error
	return ids, err
}

// stateColumns are the columns of accounts a that make a stateRow.
const stateColumns = `a.balance, a.moves IS NOT NULL, COALESCE(a.count_in, 0), COALESCE(a.count_out, 0), COALESCE(a.sum_out, 0),
	COALESCE(a.spent_on, 0), COALESCE(a.spent_day, 0), COALESCE(a.spent_month, 0)`

// stateRow is the row of a wallet.
type stateRow struct {
	balance money.Amount
	counted bool
	sum     tally
}

func (r stateRow) state() State {
	t := r.sum
	return State{Balance: r.balance, Spent: t.spent, Sums: Sums{In: r.balance + t.out, Out: t.out, InCount: int(t.in), OutCount: int(t.outs)}}
}

func readState(ctx context.Context, db *database.DB, wallet int64) (State, error) {
	return selectState(db.Gorm(ctx), db.Dialect(), wallet)
}

func readStateIn(tx *database.Tx, wallet int64) (State, error) {
	return selectState(tx.Gorm(), tx.Dialect(), wallet)
}

func selectState(g *gorm.DB, dialect database.Dialect, wallet int64) (State, error) {
	rows, err := database.ScanAll(g.Raw("SELECT "+stateColumns+" FROM accounts a WHERE id = ?", wallet), func(r *stateRow) []any {
		return []any{&r.balance, &r.counted, &r.sum.in, &r.sum.outs, &r.sum.out, &r.sum.spent.On, &r.sum.spent.Day, &r.sum.spent.Month}
	})
	switch {
	case err != nil:
		return State{}, err
	case len(rows) == 0:
		return State{}, fault.New(fault.NotFound, "ledger.state", "")
	}
	if row := rows[0]; row.counted {
		return row.state(), nil
	}
	// Not counted yet. The entries may be newer than the balance that was read.
	counted, err := countFromEntries(g, dialect, []int64{wallet})
	if err != nil {
		return State{}, err
	}
	rows[0].sum = counted[wallet].tally
	return rows[0].state(), nil
}
