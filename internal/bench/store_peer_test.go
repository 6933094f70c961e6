package bench_test

import (
	"context"
	"database/sql"
	"errors"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/labstack/echo/v4"
	"gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/logger"

	"elsom/internal/testkit/require"
)

// naiveSchema is the least that a payment needs: one row of each kind that the
// product's payment writes.
const naiveSchema = `
CREATE TABLE naive_sessions (token TEXT PRIMARY KEY, customer_id BIGINT NOT NULL);
CREATE TABLE naive_drafts (id BIGINT PRIMARY KEY, customer_id BIGINT NOT NULL, amount BIGINT NOT NULL, identifier TEXT NOT NULL, txn_id TEXT NOT NULL UNIQUE);
CREATE TABLE naive_accounts (id BIGINT PRIMARY KEY, balance BIGINT NOT NULL CHECK (balance >= 0));
CREATE TABLE naive_transfers (id BIGINT PRIMARY KEY, request_key TEXT NOT NULL UNIQUE, posted_at TIMESTAMPTZ NOT NULL);
CREATE TABLE naive_entries (transfer_id BIGINT NOT NULL, line BIGINT NOT NULL, account_id BIGINT NOT NULL, amount BIGINT NOT NULL, PRIMARY KEY (transfer_id, line));
CREATE INDEX ON naive_entries (account_id, transfer_id);
CREATE TABLE naive_payments (id BIGINT PRIMARY KEY, customer_id BIGINT NOT NULL, identifier TEXT NOT NULL, amount BIGINT NOT NULL,
	txn_id TEXT NOT NULL UNIQUE, state TEXT NOT NULL, accepted_at TIMESTAMPTZ NOT NULL);
CREATE INDEX ON naive_payments (customer_id, accepted_at);
CREATE TABLE naive_messages (id BIGINT PRIMARY KEY, queue TEXT NOT NULL, key TEXT NOT NULL, payload TEXT NOT NULL, due_at TIMESTAMPTZ NOT NULL, UNIQUE (queue, key));
INSERT INTO naive_accounts VALUES (1, 0);`

type naiveAccount struct{ ID, Balance int64 }

type naiveDraft struct {
	ID, CustomerID, Amount int64
	Identifier, TxnID      string
}

type naiveTransfer struct {
	ID         int64
	RequestKey string
	PostedAt   time.Time
}

type naiveEntry struct{ TransferID, Line, AccountID, Amount int64 }

type naivePayment struct {
	ID, CustomerID int64
	Identifier     string
	Amount         int64
	TxnID, State   string
	AcceptedAt     time.Time
}

type naiveMessage struct {
	ID                  int64
	Queue, Key, Payload string
	DueAt               time.Time
}

func (naiveAccount) TableName() string  { return "naive_accounts" }
func (naiveDraft) TableName() string    { return "naive_drafts" }
func (naiveTransfer) TableName() string { return "naive_transfers" }
func (naiveEntry) TableName() string    { return "naive_entries" }
func (naivePayment) TableName() string  { return "naive_payments" }
func (naiveMessage) TableName() string  { return "naive_messages" }

const naiveBiller = 1

// naiveRoutes adds the route of «Оплатить» as it is written at first: read the session
// and the draft, lock both accounts, update them, insert the rest.
func naiveRoutes(e *echo.Echo, address string) error {
	db, err := gorm.Open(postgres.Open(address), &gorm.Config{Logger: logger.Discard, PrepareStmt: true, SkipDefaultTransaction: true})
	if err != nil {
		return err
	}
	pool, err := db.DB()
	if err != nil {
		return err
	}
	pool.SetMaxOpenConns(32)
	pool.SetMaxIdleConns(32)
	e.POST("/check/:draft", func(c echo.Context) error {
		id, err := strconv.ParseInt(c.Param("draft"), 10, 64)
		if err != nil {
			return err
		}
		cookie, err := c.Cookie("elsom")
		if err != nil || c.FormValue("csrf") == "" {
			return echo.ErrForbidden
		}
		db := db.WithContext(c.Request().Context())
		var customer int64
		if err := db.Raw("SELECT customer_id FROM naive_sessions WHERE token = ?", cookie.Value).Scan(&customer).Error; err != nil {
			return err
		}
		var d naiveDraft
		if err := db.Where("id = ? AND customer_id = ?", id, customer).Take(&d).Error; err != nil {
			return err
		}
		if err := db.Transaction(func(tx *gorm.DB) error { return naivePay(tx, d) }); err != nil {
			return err
		}
		return c.Redirect(http.StatusSeeOther, "/receipt/"+c.Param("draft"))
	})
	return nil
}

var errNaiveFunds = errors.New("bench: insufficient funds")

func naivePay(tx *gorm.DB, d naiveDraft) error {
	var accounts []naiveAccount
	if err := tx.Clauses(clause.Locking{Strength: "UPDATE"}).Where("id IN ?", []int64{naiveBiller, d.CustomerID}).Order("id").Find(&accounts).Error; err != nil {
		return err
	}
	if len(accounts) != 2 || accounts[1].Balance < d.Amount {
		return errNaiveFunds
	}
	accounts[0].Balance += d.Amount
	accounts[1].Balance -= d.Amount
	now := time.Now()
	transfer := naiveTransfer{ID: d.ID, RequestKey: "payment:" + strconv.FormatInt(d.ID, 10) + ":accept", PostedAt: now}
	entries := []naiveEntry{{d.ID, 0, d.CustomerID, -d.Amount}, {d.ID, 1, naiveBiller, d.Amount}}
	payment := naivePayment{d.ID, d.CustomerID, d.Identifier, d.Amount, d.TxnID, "processing", now}
	message := naiveMessage{d.ID, "biller:dostek", strconv.FormatInt(d.ID, 10), "{}", now}
	for _, err := range []func() error{
		func() error { return tx.Model(&accounts[0]).Update("balance", accounts[0].Balance).Error },
		func() error { return tx.Model(&accounts[1]).Update("balance", accounts[1].Balance).Error },
		func() error { return tx.Create(&transfer).Error },
		func() error { return tx.Create(&entries).Error },
		func() error { return tx.Create(&payment).Error },
		func() error { return tx.Create(&message).Error },
	} {
		if err := err(); err != nil {
			return err
		}
	}
	return nil
}

// naiveBooks is the database of the naive server.
type naiveBooks struct {
	b       testing.TB
	address string
	db      *sql.DB
	payers  []payer
	queue   drafts
	made    int64
}

func newNaiveBooks(b testing.TB, address string, payers []payer) *naiveBooks {
	b.Helper()
	db, err := sql.Open("pgx", address)
	require.NoError(b, err)
	b.Cleanup(func() { _ = db.Close() })
	_, err = db.ExecContext(context.Background(), naiveSchema)
	require.NoError(b, err)
	tokens, ids := make([]string, len(payers)), make([]int64, len(payers))
	for i, p := range payers {
		tokens[i], ids[i] = p.session(), p.customer
	}
	_, err = db.Exec("INSERT INTO naive_sessions SELECT * FROM unnest($1::text[], $2::bigint[])", tokens, ids)
	require.NoError(b, err)
	_, err = db.Exec("INSERT INTO naive_accounts SELECT id, $2 FROM unnest($1::bigint[]) id", ids, benchFunds)
	require.NoError(b, err)
	return &naiveBooks{b: b, address: address, db: db, payers: payers}
}

// draw inserts n drafts.
func (n *naiveBooks) draw(count int) {
	n.b.Helper()
	list, ids, customers := make([]draft, count), make([]int64, count), make([]int64, count)
	for i := range list {
		n.made++
		of := n.payers[n.made*7919%int64(len(n.payers))]
		list[i], ids[i], customers[i] = draft{n.made, of}, n.made, of.customer
	}
	_, err := n.db.Exec(`INSERT INTO naive_drafts SELECT id, customer, $3, '00207199610017', id::text FROM unnest($1::bigint[], $2::bigint[]) v(id, customer)`,
		ids, customers, benchAmount)
	require.NoError(n.b, err)
	_, err = n.db.Exec("VACUUM (ANALYZE) naive_drafts")
	require.NoError(n.b, err)
	n.queue.set(list)
}
