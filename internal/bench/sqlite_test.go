package bench_test

import (
	"context"
	"database/sql"
	"errors"
	"sync"

	"elsom/internal/testkit/require"

	"elsom/internal/payment"
)

// rawSQL posts payments without the ledger: the same rows by prepared statements,
// one transaction each.
type rawSQL struct {
	bdb  *benchDB
	conn *sql.Conn
	mu   sync.Mutex // SQLite has one writer: waiting here is cheaper than its busy handler
	made []*sql.Stmt
}

var rawStatements = []string{
	"UPDATE accounts SET balance = balance - ? WHERE id = ? AND balance - ? >= floor",
	"UPDATE accounts SET balance = balance + ? WHERE id = ?",
	"INSERT INTO transfers (id, request_key, request_hash, act, posted_at) VALUES (?, ?, '-', 'payment.accept', ?)",
	"INSERT INTO entries (transfer_id, line, account_id, amount) VALUES (?, 0, ?, ?), (?, 1, ?, ?)",
	`INSERT INTO payments (id, customer_id, service, biller, identifier, payee, amount, fee, txn_id, code, channel, state, accepted_at, due_at)
		VALUES (?, ?, 'dostek', 'dostek', '00207199610017', 'ОсОО «Ала-Тоо»', ?, 0, ?, ?, 'web', 'processing', ?, ?)`,
}

func newRaw(bdb *benchDB) *rawSQL {
	bdb.m.b.Helper()
	r := &rawSQL{bdb: bdb}
	var err error
	r.conn, err = bdb.db.Pool().Conn(context.Background())
	require.NoError(bdb.m.b, err)
	for _, statement := range rawStatements {
		made, err := r.conn.PrepareContext(context.Background(), statement) //nolint:sqlclosecheck // close closes it
		require.NoError(bdb.m.b, err)
		r.made = append(r.made, made)
	}
	return r
}

func (r *rawSQL) close() {
	for _, made := range r.made {
		_ = made.Close()
	}
	_ = r.conn.Close()
}

// pay posts one payment of a random wallet.
func (r *rawSQL) pay(int) outcome {
	if err := r.post(); err != nil {
		r.bdb.m.b.Error(err)
		return over
	}
	r.bdb.payments.Add(1)
	r.bdb.unsigned.Add(1)
	return done
}

var errLowBalance = errors.New("bench: the wallet's balance is too low")

func (r *rawSQL) post() (err error) {
	bdb, ctx := r.bdb, context.Background()
	drawn := bdb.drawn.Add(1)
	from, to, id, transfer, now := bdb.wallet(), bdb.transit[0], bdb.db.NewID(), bdb.db.NewID(), bdb.db.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, err := r.conn.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_, _ = r.conn.ExecContext(ctx, "ROLLBACK")
		}
	}()
	for i, args := range [][]any{
		{benchAmount, from, benchAmount},
		{benchAmount, to.account},
		{transfer, payment.AcceptKey(id), now},
		{transfer, from, -benchAmount, transfer, to.account, benchAmount},
		{id, from, benchAmount, bdb.number(drawn, 18), bdb.number(drawn, 12), now, now},
	} {
		result, err := r.made[i].ExecContext(ctx, args...)
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil || n == 0 {
			return errors.Join(errLowBalance, err)
		}
	}
	_, err = r.conn.ExecContext(ctx, "COMMIT")
	return err
}
