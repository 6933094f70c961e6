package ledger

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"elsom/internal/database"
	"elsom/internal/fault"
	"elsom/internal/money"
)

// forUpdate locks the rows read; SQLite has one writer and no such words.
func forUpdate(tx *database.Tx) string {
	if tx.Dialect() == database.Postgres {
		return " FOR UPDATE"
	}
	return ""
}

// readByIndex keeps PostgreSQL from reading whole tables in this transaction.
// A plan that was made while a table was small reads all of it, and is kept
// while the table grows, until its next ANALYZE; for a batch, which looks up a
// few keys, an index is never much worse.
func readByIndex(tx *database.Tx) error {
	if tx.Dialect() != database.Postgres {
		return nil
	}
	return tx.Gorm().Exec("SET LOCAL enable_seqscan = off").Error
}

func insertAccount(tx *database.Tx, a Account) error {
	return tx.Gorm().Exec("INSERT INTO accounts (id, kind, subject, currency, balance, floor, opened_at) VALUES (?, ?, ?, ?, 0, ?, ?)",
		a.ID, a.Kind, a.Subject, money.Currency, a.Floor, tx.Now()).Error
}

func updateFloor(tx *database.Tx, account int64, floor money.Amount) error {
	result := tx.Gorm().Exec("UPDATE accounts SET floor = ? WHERE id = ? AND floor IS NOT NULL", floor, account)
	if result.Error == nil && result.RowsAffected != 1 {
		return database.ErrRowCount
	}
	return result.Error
}

func ensureAccount(ctx context.Context, db *database.DB, name accountName) (id int64, err error) {
	err = db.InTx(ctx, func(_ context.Context, tx *database.Tx) error {
		err := tx.Gorm().Exec(`INSERT INTO accounts (id, kind, subject, currency, balance, opened_at)
			VALUES (?, ?, ?, ?, 0, ?) ON CONFLICT (kind, subject) DO NOTHING`,
			tx.NewID(), name.kind, name.subject, money.Currency, tx.Now()).Error
		if err != nil {
			return err
		}
		return tx.Gorm().Raw("SELECT id FROM accounts WHERE kind = ? AND subject = ?", name.kind, name.subject).Scan(&id).Error
	})
	return id, err
}

func readBalance(ctx context.Context, db *database.DB, account int64) (money.Amount, error) {
	var balances []money.Amount
	err := db.Gorm(ctx).Raw("SELECT balance FROM accounts WHERE id = ?", account).Scan(&balances).Error
	if err != nil {
		return 0, fault.Wrap("ledger.balance", err)
	}
	if len(balances) == 0 {
		return 0, fault.New(fault.NotFound, "ledger.balance", "")
	}
	return balances[0], nil
}

// lockAccounts locks those of the accounts that have a floor and reads their
// balances. The others are only ever added to.
func lockAccounts(tx *database.Tx, ids []int64) (map[int64]*lockedAccount, error) {
	var rows []lockedAccount
	these, list := among(tx, ids)
	err := tx.Gorm().Raw("SELECT id, balance, floor FROM accounts WHERE id "+these+" AND floor IS NOT NULL ORDER BY id"+forUpdate(tx), list).
		Scan(&rows).Error
	if err != nil {
		return nil, err
	}
	accounts := make(map[int64]*lockedAccount, len(rows))
	for i := range rows {
		accounts[rows[i].ID] = &rows[i]
	}
	return accounts, nil
}

func readPosted(tx *database.Tx, keys []string) (map[string]postedRow, error) {
	var rows []postedRow
	these, list := among(tx, keys)
	err := tx.Gorm().Raw("SELECT id, request_key, request_hash, posted_at FROM transfers WHERE request_key "+these, list).
		Scan(&rows).Error
	if err != nil {
		return nil, err
	}
	posted := make(map[string]postedRow, len(rows)+len(keys))
	for _, row := range rows {
		posted[row.RequestKey] = row
	}
	return posted, nil
}

// among compares with a list: one array for PostgreSQL (GORM hands over a
// pointer to a slice as it is), so that the statement is the same for every
// length and planned once; SQLite gets the list written out.
func among[T any](tx *database.Tx, list []T) (comparison string, value any) {
	if tx.Dialect() == database.Postgres {
		return "= ANY(?)", &list
	}
	return "IN ?", list
}

// insertTransfers leaves "once only" to the unique key: a second transfer
// under one request key is an error that reruns the batch from fresh reads.
func insertTransfers(tx *database.Tx, accepted []*acceptedPosting, now time.Time) error {
	var ids []int64
	var keys, hashes, acts []string
	var corrects []*int64
	for _, a := range accepted {
		p := a.job.posting
		ids, keys, hashes, acts = append(ids, a.id), append(keys, p.Key), append(hashes, a.job.hash), append(acts, p.Act)
		var corrected *int64
		if p.Corrects != 0 {
			corrected = &p.Corrects
		}
		corrects = append(corrects, corrected)
	}
	const into = "INSERT INTO transfers (id, request_key, request_hash, act, corrects, posted_at) "
	if tx.Dialect() == database.Postgres {
		return tx.Gorm().Exec(into+"SELECT u.*, ?::timestamptz FROM unnest(?::bigint[], ?::text[], ?::text[], ?::text[], ?::bigint[]) u",
			now, &ids, &keys, &hashes, &acts, &corrects).Error
	}
	values := make([]any, 0, 6*len(ids))
	for i := range ids {
		values = append(values, ids[i], keys[i], hashes[i], acts[i], corrects[i], now)
	}
	return tx.Gorm().Exec(into+"VALUES "+rowsOf("(?,?,?,?,?,?)", len(ids)), values...).Error
}

func insertEntries(tx *database.Tx, accepted []*acceptedPosting) error {
	var ids, lines, accounts, amounts []int64
	for _, a := range accepted {
		for line, e := range a.job.posting.Entries {
			ids, lines = append(ids, a.id), append(lines, int64(line))
			accounts, amounts = append(accounts, e.Account), append(amounts, int64(e.Amount))
		}
	}
	const into = "INSERT INTO entries (transfer_id, line, account_id, amount) "
	if tx.Dialect() == database.Postgres {
		return tx.Gorm().Exec(into+"SELECT * FROM unnest(?::bigint[], ?::bigint[], ?::bigint[], ?::bigint[])", &ids, &lines, &accounts, &amounts).Error
	}
	values := make([]any, 0, 4*len(ids))
	for i := range ids {
		values = append(values, ids[i], lines[i], accounts[i], amounts[i])
	}
	return tx.Gorm().Exec(into+"VALUES "+rowsOf("(?,?,?,?)", len(ids)), values...).Error
}

// updateBalances writes the new balances of locked accounts.
func updateBalances(tx *database.Tx, accounts map[int64]*lockedAccount) error {
	balances := map[int64]money.Amount{}
	for id, a := range accounts {
		if a.changed {
			balances[id] = a.Balance
		}
	}
	return setBalances(tx, balances, "v.amount", "NOT NULL")
}

// addToBalances adds to accounts that nobody locked before. Where there are
// several, they are locked in order first: two batches must not meet crosswise.
// A wallet that was opened since the locks were taken is not among them: the
// count is wrong then, and the postings are decided anew.
func addToBalances(tx *database.Tx, deltas map[int64]money.Amount) error {
	if len(deltas) > 1 && tx.Dialect() == database.Postgres {
		var ids []int64
		if err := tx.Gorm().Raw("SELECT id FROM accounts WHERE id = ANY(?) ORDER BY id FOR UPDATE", new(sortedIDs(deltas))).Scan(&ids).Error; err != nil {
			return err
		}
	}
	return setBalances(tx, deltas, "accounts.balance + v.amount", "NULL")
}

// errStale is an account that isn't there, or isn't as it was read.
var errStale = errors.New("ledger: stale account")

func setBalances(tx *database.Tx, amounts map[int64]money.Amount, expression, floor string) error {
	if len(amounts) == 0 {
		return nil
	}
	ids := sortedIDs(amounts)
	sums := make([]int64, len(ids))
	values := make([]any, 0, len(ids)*2)
	for i, id := range ids {
		sums[i] = int64(amounts[id])
		values = append(values, id, sums[i])
	}
	v := "VALUES (CAST(? AS BIGINT), CAST(? AS BIGINT))" + strings.Repeat(",(?,?)", len(ids)-1)
	if tx.Dialect() == database.Postgres {
		v, values = "SELECT * FROM unnest(?::bigint[], ?::bigint[])", []any{&ids, &sums}
	}
	result := tx.Gorm().Exec("WITH v(id, amount) AS ("+v+") UPDATE accounts SET balance = "+expression+
		" FROM v WHERE accounts.id = v.id AND accounts.floor IS "+floor, values...)
	if result.Error != nil {
		return result.Error
	}
	if result.RowsAffected != int64(len(amounts)) {
		return fmt.Errorf("%w: %w: %d of %d accounts", errStale, database.ErrRowCount, result.RowsAffected, len(amounts))
	}
	return nil
}

func rowsOf(row string, n int) string {
	return row + strings.Repeat(","+row, n-1)
}

func sortedIDs(m map[int64]money.Amount) []int64 {
	ids := make([]int64, 0, len(m))
	for id := range m {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}
