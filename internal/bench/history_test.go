package bench_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"elsom/internal/testkit/require"

	"elsom/internal/catalog"
	"elsom/internal/customer"
	"elsom/internal/database"
	"elsom/internal/ledger"
	"elsom/internal/money"
	"elsom/internal/payment"
	"elsom/internal/translog"
)

// past is completed payments of wallets, written as accepting and settling leave them:
// signed, and queued for the log.
type past struct {
	b                testing.TB
	db               *database.DB
	transit, payable int64
	amount           money.Amount
	from             time.Time
	written          int64
}

const (
	// pastAmount is small, so that 200,000 payments are below the limits of a month.
	pastAmount = 100
	pastBatch  = 5000
)

// pastLasting is how long all the payments took. It is short, since the audit reads the
// log by the rows' times: records of many times in one seal would be read repeatedly.
const pastLasting = 2 * time.Hour

func newPast(b testing.TB, db *database.DB) *past {
	b.Helper()
	l := ledger.New(db, ledger.Options{})
	defer l.Close()
	p := &past{b: b, db: db, amount: pastAmount, from: db.Now().Add(-pastLasting - time.Minute)}
	var err error
	p.transit, err = l.Account(context.Background(), ledger.Transit, catalog.DostekBiller)
	require.NoError(b, err)
	p.payable, err = l.Account(context.Background(), ledger.Payable, catalog.DostekBiller)
	require.NoError(b, err)
	return p
}

// pay writes n payments of each wallet, spread over the time.
func (p *past) pay(wallets []int64, n int) {
	p.b.Helper()
	all := len(wallets) * n
	for first := 0; first < all; first += pastBatch {
		rows := &pastRows{past: p}
		require.NoError(p.b, p.db.InTx(context.Background(), func(ctx context.Context, tx *database.Tx) error {
			*rows = pastRows{past: p}
			for i := first; i < min(all, first+pastBatch); i++ {
				at := p.from.Add(pastLasting / time.Duration(all) * time.Duration(i)).Truncate(time.Millisecond)
				rows.add(tx, int64(i), at.UTC(), wallets[i%len(wallets)])
			}
			return rows.insert(tx)
		}))
	}
	p.written += int64(all)
}

// pastRows are the columns of a batch.
type pastRows struct {
	*past
	paymentIDs, customers       []int64
	txnIDs, codes               []string
	acceptedAt                  []time.Time
	paymentMACs                 [][]byte
	transferIDs, subjects       []int64
	keys, ops                   []string
	postedAt                    []time.Time
	transferMACs                [][]byte
	entryOf, lines              []int64
	accounts, amounts           []int64
	keyID, requestHash, company string
}

func (r *pastRows) add(tx *database.Tx, i int64, at time.Time, wallet int64) {
	// Four ids of each payment's millisecond, none of which the program makes: it
	// makes ids of later milliseconds.
	id := database.FirstID(at) + (r.written+i)%(1<<19)*4
	r.requestHash, r.company = strings.Repeat("-", 43), "ОсОО «Ала-Тоо»"
	number := r.written + i
	p := payment.Payment{
		ID: id, CustomerID: wallet, Service: catalog.DostekBiller, Biller: catalog.DostekBiller, Identifier: "00207199610017", Payee: r.company,
		Amount: r.amount, TxnID: fmt.Sprintf("h%017d", number), Code: fmt.Sprintf("h%011d", number), Channel: customer.Web, AcceptedAt: at,
	}
	mac, keyID := tx.Sign(p.Record())
	r.keyID = keyID
	r.paymentIDs, r.customers = append(r.paymentIDs, id), append(r.customers, wallet)
	r.txnIDs, r.codes, r.acceptedAt = append(r.txnIDs, p.TxnID), append(r.codes, p.Code), append(r.acceptedAt, at)
	r.paymentMACs = append(r.paymentMACs, mac)
	r.transfer(tx, id+1, id, at, payment.AcceptKey(id), "payment.accept", wallet, r.transit)
	r.transfer(tx, id+2, id, at, payment.EndKey(id), "payment.settle", r.transit, r.payable)
}

func (r *pastRows) transfer(tx *database.Tx, id, of int64, at time.Time, key, op string, from, to int64) {
	posting := ledger.Posting{
		Key: key, Op: op, Subject: ledger.Subject{Type: ledger.Payment, ID: of},
		Entries: []ledger.Entry{{Account: from, Amount: -r.amount}, {Account: to, Amount: r.amount}},
	}
	mac, _ := tx.Sign(ledger.TransferRecord(id, posting, r.requestHash, at))
	r.transferIDs, r.subjects = append(r.transferIDs, id), append(r.subjects, of)
	r.keys, r.ops = append(r.keys, key), append(r.ops, op)
	r.postedAt, r.transferMACs = append(r.postedAt, at), append(r.transferMACs, mac)
	for line, e := range posting.Entries {
		r.entryOf, r.lines = append(r.entryOf, id), append(r.lines, int64(line))
		r.accounts, r.amounts = append(r.accounts, e.Account), append(r.amounts, int64(e.Amount))
	}
}

func (r *pastRows) insert(tx *database.Tx) error {
	for _, s := range []struct {
		statement string
		args      []any
	}{
		{"SET LOCAL synchronous_commit = off", nil},
		{`INSERT INTO transfers (id, request_key, request_hash, act, subject_kind, subject_id, posted_at, mac, key_id)
			SELECT id, key, $7, op, 'payment', subject, at, mac, $8
			FROM unnest($1::bigint[], $2::text[], $3::text[], $4::bigint[], $5::timestamptz[], $6::bytea[]) v(id, key, op, subject, at, mac)`,
			[]any{r.transferIDs, r.keys, r.ops, r.subjects, r.postedAt, r.transferMACs, r.requestHash, r.keyID}},
		{`INSERT INTO entries (transfer_id, line, account_id, amount) SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[])`,
			[]any{r.entryOf, r.lines, r.accounts, r.amounts}},
		{`INSERT INTO payments (id, customer_id, service, biller, identifier, payee, amount, fee, txn_id, code, channel, state,
				accepted_at, ended_at, result, reference, mac, key_id)
			SELECT id, customer, 'dostek', 'dostek', '00207199610017', $8, $7, 0, txn_id, code, 'web', 'completed', at AS accepted_at, at AS ended_at, 0, txn_id, mac, $9
			FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::timestamptz[], $6::bytea[]) v(id, customer, txn_id, code, at, mac)`,
			[]any{r.paymentIDs, r.customers, r.txnIDs, r.codes, r.acceptedAt, r.paymentMACs, int64(r.amount), r.company, r.keyID}},
		{`UPDATE accounts SET balance = balance + moved.amount FROM (SELECT account, SUM(amount) AS amount
				FROM unnest($1::bigint[], $2::bigint[]) v(account, amount) GROUP BY account) moved
			WHERE accounts.id = moved.account AND moved.amount <> 0`, []any{r.accounts, r.amounts}},
	} {
		if err := tx.Gorm().Exec(s.statement, s.args...).Error; err != nil {
			return fmt.Errorf("%w\n%s", err, s.statement)
		}
	}
	return nil
}

// seal seals what is queued for the log, so that no portal does it while it is measured.
func seal(b testing.TB, db *database.DB) {
	b.Helper()
	log := translog.New(db, translog.Options{})
	for sealed := 1; sealed > 0; {
		var err error
		sealed, err = log.Seal(context.Background())
		require.NoError(b, err)
	}
}
