package main

import (
	"context"
	"time"

	"gorm.io/gorm"

	"elsom/internal/biller"
	"elsom/internal/database"
	"elsom/internal/money"
)

// books stores payments, each once, and the balances that they add to.
type books struct{ db *database.DB }

// payment is one final outcome under (service, txn_id).
type payment struct {
	Reference int64
	Service   string
	TxnID     string
	Account   string
	Sum       money.Amount
	Result    int
	TxnDate   string
	BookedAt  int64 // Unix milliseconds
}

func (p payment) at() time.Time { return time.UnixMilli(p.BookedAt) }

// same reports whether two payments have the same account and sum.
func (p payment) same(q payment) bool { return p.Account == q.Account && p.Sum == q.Sum }

// schema is created if it does not exist.
var schema = []string{
	`CREATE TABLE IF NOT EXISTS accounts (
		service VARCHAR NOT NULL,
		account VARCHAR NOT NULL,
		balance BIGINT NOT NULL CHECK (balance >= 0 AND balance = CAST(balance AS BIGINT)),
		PRIMARY KEY (service, account))`,
	`CREATE TABLE IF NOT EXISTS payments (
		reference INTEGER PRIMARY KEY AUTOINCREMENT,
		service VARCHAR NOT NULL,
		txn_id VARCHAR NOT NULL,
		account VARCHAR NOT NULL,
		sum BIGINT NOT NULL,
		result BIGINT NOT NULL,
		txn_date VARCHAR NOT NULL,
		booked_at BIGINT NOT NULL,
		UNIQUE (service, txn_id))`,
	`CREATE INDEX IF NOT EXISTS payments_by_account ON payments (service, account, reference)`,
}

func openBooks(ctx context.Context, path string) (*books, error) {
	db, err := database.Open(ctx, "sqlite:"+path)
	if err != nil {
		return nil, err
	}
	err = db.InTx(ctx, func(_ context.Context, tx *database.Tx) error {
		for _, statement := range schema {
			if err := tx.Gorm().Exec(statement).Error; err != nil {
				return err
			}
		}
		// Fails if another program's file has tables of the same names.
		return tx.Gorm().Exec(selectPayment + `JOIN accounts USING (service, account) WHERE balance < 0`).Error
	})
	if err != nil {
		_ = db.Close()
		return nil, err
	}
	return &books{db: db}, nil
}

func (b *books) close() { _ = b.db.Close() }

const selectPayment = `SELECT reference, service, txn_id, account, sum, result, txn_date, booked_at FROM payments `

// book returns the outcome stored under the payment's txn_id. If there is none it
// stores p, and a good result adds to the balance in the same transaction. The
// stored payment may differ from p: compare with same. repeated reports that it was
// stored before.
func (b *books) book(ctx context.Context, p payment) (stored payment, repeated bool, err error) {
	err = b.db.InTx(ctx, func(_ context.Context, tx *database.Tx) error {
		var found []payment
		if err := tx.Gorm().Raw(selectPayment+`WHERE service = ? AND txn_id = ?`, p.Service, p.TxnID).Scan(&found).Error; err != nil {
			return err
		}
		if repeated = len(found) > 0; repeated {
			stored = found[0]
			return nil
		}
		stored = p
		if stored.Result == biller.ResultDone {
			if err := addTo(tx.Gorm(), &stored); err != nil {
				return err
			}
		}
		return tx.Gorm().Raw(`INSERT INTO payments (service, txn_id, account, sum, result, txn_date, booked_at)
			VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING reference`,
			stored.Service, stored.TxnID, stored.Account, int64(stored.Sum), stored.Result, stored.TxnDate, stored.BookedAt).
			Scan(&stored.Reference).Error
	})
	return stored, repeated, err
}

// addTo adds the sum to the balance, or sets the result "too large" if it would
// overflow.
func addTo(tx *gorm.DB, p *payment) error {
	balance, err := balanceIn(tx, p.Service, p.Account)
	if err != nil {
		return err
	}
	if _, fits := balance.Add(p.Sum); !fits {
		p.Result = biller.ResultTooLarge
		return nil
	}
	return tx.Exec(`INSERT INTO accounts (service, account, balance) VALUES (?, ?, ?)
		ON CONFLICT (service, account) DO UPDATE SET balance = accounts.balance + excluded.balance`,
		p.Service, p.Account, int64(p.Sum)).Error
}

func balanceIn(tx *gorm.DB, service, account string) (money.Amount, error) {
	var balance int64
	err := tx.Raw(`SELECT balance FROM accounts WHERE service = ? AND account = ?`, service, account).Scan(&balance).Error
	return money.Amount(balance), err
}

// balance returns the balance of an account; 0 if it was never paid.
func (b *books) balance(ctx context.Context, service, account string) (money.Amount, error) {
	return balanceIn(b.db.Gorm(ctx), service, account)
}

// last returns the newest n payments, of one account if it is given.
func (b *books) last(ctx context.Context, service, account string, n int) ([]payment, error) {
	var list []payment
	where, args := ``, []any{}
	if account != "" {
		where, args = `WHERE service = ? AND account = ? `, []any{service, account}
	}
	err := b.db.Gorm(ctx).Raw(selectPayment+where+`ORDER BY reference DESC LIMIT ?`, append(args, n)...).Scan(&list).Error
	return list, err
}

func (b *books) ping(ctx context.Context) error { return b.db.Ping(ctx) }
