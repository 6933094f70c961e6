package ledger

import (
	"context"
	"time"

	"elsom/internal/database"
	"elsom/internal/fault"
	"elsom/internal/money"
)

func insertAccount(tx *database.Tx, a Account) error {
	var counted *int64 // only wallets have sums
	if a.Type == Wallet {
		counted = new(int64)
	}
	return tx.Gorm().Exec("INSERT INTO accounts (id, kind, subject, currency, balance, floor, opened_at, "+sumColumns+") VALUES (?, ?, ?, ?, 0, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		a.ID, a.Type, a.Subject, money.Currency, a.Floor, tx.Now(), counted, counted, counted, counted, counted, counted, counted).Error
}

func updateFloor(tx *database.Tx, account int64, floor money.Amount) error {
	result := tx.Gorm().Exec("UPDATE accounts SET floor = ? WHERE id = ? AND floor IS NOT NULL", floor, account)
	if result.Error == nil && result.RowsAffected != 1 {
		return database.ErrRowCount
	}
	return result.Error
}

// lastPosted returns the latest time of the account's last transfers; nil if it has none.
// They are the newest by their ids, which have the time of a clock too: those of the
// processes do not differ by a hundred transfers of one wallet.
func lastPosted(tx *database.Tx, account int64) (*time.Time, error) {
	var rows []struct{ PostedAt time.Time }
	err := tx.Gorm().Raw(`SELECT t.posted_at FROM (SELECT transfer_id FROM entries WHERE account_id = ? ORDER BY transfer_id DESC LIMIT 100) e
		JOIN transfers t ON t.id = e.transfer_id ORDER BY t.posted_at DESC LIMIT 1`, account).Scan(&rows).Error
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	return &rows[0].PostedAt, nil
}

// closeAccount closes an open and empty account, and reports whether it was one.
func closeAccount(tx *database.Tx, account int64, at time.Time) (bool, error) {
	//mutant:replace AND balance = 0 => TestCloseWallet
	result := tx.Gorm().Exec("UPDATE accounts SET closed_at = ? WHERE id = ? AND closed_at IS NULL AND balance = 0", at, account)
	return result.RowsAffected == 1, result.Error
}

// ensuredAccount is the result of ensureAccount.
type ensuredAccount struct {
	ID      int64
	Floored bool
}

func ensureAccount(ctx context.Context, db *database.DB, name accountName) (account ensuredAccount, err error) {
	err = db.InTx(ctx, func(_ context.Context, tx *database.Tx) error {
		err := tx.Gorm().Exec(`INSERT INTO accounts (id, kind, subject, currency, balance, opened_at)
			VALUES (?, ?, ?, ?, 0, ?) ON CONFLICT (kind, subject) DO NOTHING`,
			tx.NewID(), name.accountType, name.subject, money.Currency, tx.Now()).Error
		if err != nil {
			return err
		}
		//mutant:drop ./internal/payment TestPaymentIsUnknownWithoutTheStandby
		if err := tx.WaitForStandbys(); err != nil { // an account that existed may not be on the standby yet
			return err
		}
		return tx.Gorm().Raw("SELECT id, floor IS NOT NULL AS floored FROM accounts WHERE kind = ? AND subject = ?", name.accountType, name.subject).Scan(&account).Error
	})
	return account, err
}

func findAccount(ctx context.Context, db *database.DB, name accountName) (int64, error) {
	var ids []int64
	err := db.Gorm(ctx).Raw("SELECT id FROM accounts WHERE kind = ? AND subject = ?", name.accountType, name.subject).Scan(&ids).Error
	if err != nil {
		return 0, fault.Wrap("ledger.find", err)
	}
	if len(ids) == 0 {
		return 0, fault.New(fault.NotFound, "ledger.find", "")
	}
	return ids[0], nil
}

func readBalance(ctx context.Context, db *database.DB, account int64) (money.Amount, error) {
	var balances []money.Amount
	err := db.Gorm(ctx).Raw("SELECT balance FROM balances WHERE id = ?", account).Scan(&balances).Error
	if err != nil {
		return 0, fault.Wrap("ledger.balance", err)
	}
	if len(balances) == 0 {
		return 0, fault.New(fault.NotFound, "ledger.balance", "")
	}
	return balances[0], nil
}

func readPosted(tx *database.Tx, keys []string) (map[string]postedRow, error) {
	var rows []postedRow
	these, list := database.InList(tx.Dialect(), keys)
	err := tx.Gorm().Raw("SELECT id, request_key, request_hash, posted_at FROM transfers WHERE request_key "+these, list).
		Scan(&rows).Error
	if err != nil {
		return nil, err
	}
	posted := make(map[string]postedRow, len(rows))
	for _, row := range rows {
		posted[row.RequestKey] = row
	}
	return posted, nil
}

// rowsOf signs the transfers and returns the rows of transfers and entries. A second
// transfer with the same request key violates the unique key, and the batch is retried.
func rowsOf(tx *database.Tx, accepted []*acceptedPosting, now time.Time) []database.Rows {
	entries := 0
	for _, a := range accepted {
		entries += len(a.job.posting.Entries)
	}
	of, lines := make([]int64, 0, entries), make([]int64, 0, entries)
	accounts, amounts := make([]int64, 0, entries), make([]int64, 0, entries)
	macs, keyID := make([][]byte, len(accepted)), ""
	for i, a := range accepted {
		macs[i], keyID = tx.Sign(TransferRecord(a.id, a.job.posting, a.job.hash, now))
		for line, e := range a.job.posting.Entries {
			of, lines = append(of, a.id), append(lines, int64(line))
			accounts, amounts = append(accounts, e.Account), append(amounts, int64(e.Amount))
		}
	}
	return []database.Rows{
		{Table: "transfers", Columns: []database.Column{
			transferColumn("id", "bigint", accepted, func(a *acceptedPosting) int64 { return a.id }),
			transferColumn("request_key", "text", accepted, func(a *acceptedPosting) string { return a.job.posting.Key }),
			transferColumn("request_hash", "text", accepted, func(a *acceptedPosting) string { return a.job.hash }),
			transferColumn("act", "text", accepted, func(a *acceptedPosting) string { return a.job.posting.Op }),
			transferColumn("corrects", "bigint", accepted, func(a *acceptedPosting) *int64 { return orNull(&a.job.posting.Corrects) }),
			transferColumn("subject_kind", "text", accepted, func(a *acceptedPosting) *string { return orNull((*string)(&a.job.posting.Subject.Type)) }),
			transferColumn("subject_id", "bigint", accepted, func(a *acceptedPosting) *int64 { return orNull(&a.job.posting.Subject.ID) }),
			database.ConstColumn("posted_at", "timestamptz", now),
			database.NewColumn("mac", "bytea", macs), database.ConstColumn("key_id", "text", keyID),
		}},
		{Table: "entries", Columns: []database.Column{
			database.NewColumn("transfer_id", "bigint", of), database.NewColumn("line", "bigint", lines),
			database.NewColumn("account_id", "bigint", accounts), database.NewColumn("amount", "bigint", amounts),
		}},
	}
}

func transferColumn[T any](name, kind string, accepted []*acceptedPosting, value func(*acceptedPosting) T) database.Column {
	return database.ColumnOf(name, kind, accepted, func(a **acceptedPosting) T { return value(*a) })
}

// orNull returns v, or nil (NULL) if it is the zero value.
func orNull[T comparable](v *T) *T {
	var zero T
	if *v == zero {
		return nil
	}
	return v
}

// addToStripes adds sums to striped balances, all in one stripe.
func addToStripes(sums []sum, stripe int64) []database.Rows {
	if len(sums) == 0 {
		return nil
	}
	ids, amounts := make([]int64, len(sums)), make([]int64, len(sums))
	for i, s := range sums {
		ids[i], amounts[i] = s.account, int64(s.amount)
	}
	return []database.Rows{{
		Table: "stripes",
		Columns: []database.Column{
			database.NewColumn("account_id", "bigint", ids), database.ConstColumn("stripe", "bigint", stripe), database.NewColumn("balance", "bigint", amounts),
		},
		//mutant:replace stripes.balance + => TestBalanceIsItsEntries
		OnConflict: "ON CONFLICT (account_id, stripe) DO UPDATE SET balance = stripes.balance + excluded.balance",
	}}
}
