package audit_test

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"elsom/internal/audit"
	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/ledger"
	"elsom/internal/money"
)

// The customers and the agent's till of the test books.
const (
	aizada int64 = 101 // two payments completed, one refunded
	bakyt  int64 = 102 // one payment still processing
	till   int64 = 201
)

// book is correct books: two cash-ins, and four payments in all states.
type book struct {
	t  testing.TB
	db *database.DB
	// admin is the same database for a superuser, who writes the rows.
	admin *database.DB
	l     *ledger.Ledger
	// Accounts of the biller.
	transit, payable, fees int64
	// Payments.
	completed, feeless, refunded, processing int64
}

func newBook(t testing.TB, db *database.DB) *book {
	t.Helper()
	database.WithKeys(nil, false)(db) // the book inserts rows by hand: origin is not checked
	b := &book{t: t, db: db, admin: databasetest.Superuser(t, db), l: ledger.New(db, ledger.Options{})}
	t.Cleanup(b.l.Close)
	b.open()
	b.transit, b.payable, b.fees = b.account(ledger.Transit), b.account(ledger.Payable), b.account(ledger.Fees)
	b.cashIn("1", aizada, 1000_00)
	b.cashIn("2", bakyt, 500_00)
	b.exec("INSERT INTO cash_ins (id, agent, txn_id, txn_date, account, sum, result, customer_id, received_at) VALUES (903, 'kicb', '3', '20261122080000', 'x', 100, 4, 0, ?)", db.Now())
	b.completed = b.accept(11, aizada, 250_00, 5_00)
	b.settle(b.completed, 250_00, 5_00)
	b.feeless = b.accept(12, aizada, 100_00, 0)
	b.settle(b.feeless, 100_00, 0)
	b.refunded = b.accept(13, aizada, 50_00, 1_00)
	b.refund(b.refunded, aizada, 51_00)
	b.exec("INSERT INTO payment_claims (payment_id, reference, made_at) VALUES (?, 'late', ?)", b.refunded, db.Now())
	b.processing = b.accept(14, bakyt, 200_00, 2_00)
	return b
}

func (b *book) open() {
	b.t.Helper()
	zero, ceiling := money.Amount(0), money.Amount(-1_000_000_00)
	err := b.db.InTx(context.Background(), func(ctx context.Context, tx *database.Tx) error {
		for _, a := range []ledger.Account{
			{ID: aizada, Type: ledger.Wallet, Subject: "aizada", Floor: &zero},
			{ID: bakyt, Type: ledger.Wallet, Subject: "bakyt", Floor: &zero},
			{ID: till, Type: ledger.Till, Subject: "kicb", Floor: &ceiling},
		} {
			if err := ledger.Open(tx, &a); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.t.Fatal(err)
	}
	b.exec("INSERT INTO agents (code, name, password_hash, allowed, ceiling, till_id, disabled, created_at) VALUES ('kicb', 'KICB', 'x', '', 100000000, ?, FALSE, ?)", till, b.db.Now())
	for _, id := range []int64{aizada, bakyt} {
		b.customer(id)
	}
}

func (b *book) customer(id int64) {
	b.t.Helper()
	b.exec(`INSERT INTO customers (id, phone, email, lang, password_hash, blocked, session_epoch, level, created_at)
		VALUES (?, ?, '', 'ru', '', FALSE, 0, 'basic', ?)`, id, fmt.Sprint("+996700000", id), b.db.Now())
}

func (b *book) account(accountType ledger.AccountType) int64 {
	b.t.Helper()
	id, err := b.l.Account(context.Background(), accountType, "dostek")
	if err != nil {
		b.t.Fatal(err)
	}
	return id
}

func (b *book) exec(statement string, args ...any) {
	b.t.Helper()
	if err := b.admin.Gorm(context.Background()).Exec(statement, args...).Error; err != nil {
		b.t.Fatalf("%s: %v", statement, err)
	}
}

func (b *book) post(key, op string, subject ledger.Subject, entries ...ledger.Entry) {
	b.t.Helper()
	if _, err := b.l.Post(context.Background(), ledger.Posting{Key: key, Op: op, Subject: subject, Entries: entries}); err != nil {
		b.t.Fatal(err)
	}
}

func (b *book) cashIn(txn string, wallet int64, sum money.Amount) {
	b.t.Helper()
	b.post("cashin:kicb:"+txn, "cashin.pay_in", ledger.Subject{Type: ledger.CashIn, ID: 800 + wallet}, ledger.Entry{Account: till, Amount: -sum}, ledger.Entry{Account: wallet, Amount: sum})
	b.exec("INSERT INTO cash_ins (id, agent, txn_id, txn_date, account, sum, result, customer_id, received_at) VALUES (?, 'kicb', ?, '20261122080000', 'x', ?, 0, ?, ?)", 800+wallet, txn, sum, wallet, b.db.Now())
}

func (b *book) accept(id, wallet int64, amount, fee money.Amount) int64 {
	b.t.Helper()
	b.post(fmt.Sprintf("payment:%d:accept", id), "payment.accept", ledger.Subject{Type: ledger.Payment, ID: id},
		ledger.Entry{Account: wallet, Amount: -(amount + fee), LimitUse: &ledger.LimitUse{}}, ledger.Entry{Account: b.transit, Amount: amount + fee})
	b.payment(id, wallet, amount, fee)
	return id
}

// postedAt returns when a payment was posted.
func (b *book) postedAt(id int64) (at time.Time) {
	b.t.Helper()
	row := b.db.Pool().QueryRowContext(context.Background(), "SELECT posted_at FROM transfers WHERE request_key = $1", fmt.Sprintf("payment:%d:accept", id))
	if err := row.Scan(&at); err != nil {
		b.t.Fatal(err)
	}
	return at
}

func (b *book) payment(id, wallet int64, amount, fee money.Amount) {
	b.t.Helper()
	b.exec(`INSERT INTO payments (id, customer_id, service, biller, identifier, payee, amount, fee, txn_id, code, channel, state, accepted_at, due_at)
		VALUES (?, ?, 'dostek', 'dostek', '00207199610017', '', ?, ?, ?, ?, 'web', 'processing', ?, ?)`,
		id, wallet, amount, fee, fmt.Sprint(id), fmt.Sprint(id), b.db.Now(), b.db.Now())
}

func (b *book) settle(id int64, amount, fee money.Amount) {
	b.t.Helper()
	entries := []ledger.Entry{{Account: b.transit, Amount: -(amount + fee)}, {Account: b.payable, Amount: amount}}
	if fee > 0 {
		entries = append(entries, ledger.Entry{Account: b.fees, Amount: fee})
	}
	b.post(fmt.Sprintf("payment:%d:end", id), "payment.settle", ledger.Subject{Type: ledger.Payment, ID: id}, entries...)
	b.end(id, "completed")
}

func (b *book) refund(id, wallet int64, total money.Amount) {
	b.t.Helper()
	b.post(fmt.Sprintf("payment:%d:end", id), "payment.refund", ledger.Subject{Type: ledger.Payment, ID: id},
		ledger.Entry{Account: b.transit, Amount: -total}, ledger.Entry{Account: wallet, Amount: total, LimitUse: &ledger.LimitUse{Returns: b.postedAt(id)}})
	b.end(id, "refunded")
}

func (b *book) end(id int64, state string) {
	b.t.Helper()
	b.exec("UPDATE payments SET state = ?, ended_at = ? WHERE id = ?", state, b.db.Now(), id)
}

// unguarded has the databases in which tamper removed constraints.
var unguarded sync.Map

// withoutRemovedGuards takes from a result what it says about the constraints that
// tamper removed, so that tests compare what the rows themselves give away.
func withoutRemovedGuards(db *database.DB, r audit.Result) audit.Result {
	if _, removed := unguarded.Load(db); !removed {
		return r
	}
	r.Violations = slices.DeleteFunc(r.Violations, func(line string) bool { return strings.HasPrefix(line, "schema: ") })
	for i := range r.Checks {
		if r.Checks[i].Invariant == "schema" {
			r.Checks[i].Found = 0
		}
	}
	return r
}

// tamper runs statements without the triggers, CHECKs and unique keys that would
// refuse them.
func (b *book) tamper(statements ...string) {
	b.t.Helper()
	unguarded.Store(b.db, true)
	ctx := context.Background()
	conn, err := b.admin.Pool().Conn(ctx)
	if err != nil {
		b.t.Fatal(err)
	}
	defer conn.Close()
	run := func(statement string) {
		b.t.Helper()
		if _, err := conn.ExecContext(ctx, statement); err != nil {
			b.t.Fatalf("%s: %v", statement, err)
		}
	}
	before, after := b.guards(conn)
	for _, list := range [][]string{before, statements, after} {
		for _, statement := range list {
			run(statement)
		}
	}
}

// guards returns the statements that take the guards of the books away and put
// them back.
func (b *book) guards(conn *sql.Conn) (remove, restore []string) {
	b.t.Helper()
	if b.db.Dialect() == database.Postgres {
		return []string{
				"SET session_replication_role = replica",
				"ALTER TABLE accounts DROP CONSTRAINT IF EXISTS accounts_check",
				"ALTER TABLE transfers DROP CONSTRAINT IF EXISTS transfers_request_key_key",
			}, []string{
				"SET session_replication_role = origin",
			}
	}
	rows, err := conn.QueryContext(context.Background(), "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
	if err != nil {
		b.t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var name, text string
		if err := rows.Scan(&name, &text); err != nil {
			b.t.Fatal(err)
		}
		remove, restore = append(remove, "DROP TRIGGER "+name), append(restore, text)
	}
	remove = append(remove, "PRAGMA foreign_keys = off", "PRAGMA ignore_check_constraints = on",
		"CREATE TABLE bare AS SELECT * FROM transfers", "DROP TABLE transfers", "ALTER TABLE bare RENAME TO transfers",
		"CREATE TABLE bare AS SELECT * FROM payments", "DROP TABLE payments", "ALTER TABLE bare RENAME TO payments")
	return remove, append(restore, "PRAGMA ignore_check_constraints = off", "PRAGMA foreign_keys = on")
}
