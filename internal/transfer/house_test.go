package transfer_test

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"strconv"
	"testing"

	"elsom/internal/audit"
	"elsom/internal/biller"
	"elsom/internal/catalog"
	"elsom/internal/customer"
	"elsom/internal/database"
	"elsom/internal/fault"
	"elsom/internal/ledger"
	"elsom/internal/money"
	"elsom/internal/notify/sms"
	"elsom/internal/outbox"
	"elsom/internal/payment"
	"elsom/internal/ratelimit"
	"elsom/internal/transfer"
	"elsom/internal/wallet"
)

const company = "00207199610017"

// house is transfers on real parts, with payments beside them.
type house struct {
	*transfer.Transfers
	t        *testing.T
	db       *database.DB
	ledger   *ledger.Ledger
	wallets  *wallet.Wallets
	payments *payment.Payments
}

func newHouse(t *testing.T, db *database.DB) *house {
	t.Helper()
	secret := make([]byte, 32)
	_, _ = rand.Read(secret)
	sealer, err := sms.NewSealer(secret)
	must(t, err)
	attempts, err := ratelimit.New(db, ratelimit.Options{Secret: secret})
	must(t, err)
	goods := catalog.New(db, catalog.Options{Development: true})
	must(t, goods.Seed(context.Background()))
	customers, err := customer.New(db, customer.Options{
		Secret: secret, PINPepper: secret, Counters: attempts, Sealer: sealer, OpenWallet: wallet.Open, Level: catalog.StandardLevel,
	})
	must(t, err)
	books := ledger.New(db, ledger.Options{})
	t.Cleanup(books.Close)
	bell := outbox.NewNotifier()
	return &house{
		t: t, db: db, ledger: books, wallets: wallet.New(books),
		Transfers: transfer.New(transfer.Parts{
			DB: db, Ledger: books, Bell: bell, Catalog: goods, Customers: customers, Attempts: attempts,
		}),
		payments: payment.New(payment.Parts{
			DB: db, Ledger: books, Bell: bell, Catalog: goods, Customers: customers, Attempts: attempts,
			Wire: func(catalog.Biller) biller.Biller { return silent{} },
		}),
	}
}

// silent is a biller that checks nothing and is never paid here.
type silent struct{}

func (silent) Check(context.Context, biller.Request) biller.Answer {
	return biller.Answer{Outcome: biller.Unknown, Result: biller.ResultNone}
}

func (silent) Pay(context.Context, biller.Request) biller.Answer {
	return biller.Answer{Outcome: biller.Unknown, Result: biller.ResultNone}
}

// holder registers a customer with money in the wallet.
func (h *house) holder(balance money.Amount) customer.Customer {
	h.t.Helper()
	ctx := context.Background()
	id := h.db.NewID()
	err := h.db.InTx(ctx, func(ctx context.Context, tx *database.Tx) error {
		row := customer.Record{ID: id, Phone: fmt.Sprintf("+996700%06d", id%1_000_000), Lang: "ru", Level: catalog.StandardLevel, CreatedAt: tx.Now()}
		if err := tx.Gorm().Create(&row).Error; err != nil {
			return err
		}
		return wallet.Open(ctx, tx, id)
	})
	must(h.t, err)
	if balance > 0 {
		h.fill(id, balance)
	}
	return h.again(customer.Customer{ID: id})
}

// again reads a customer as of now.
func (h *house) again(c customer.Customer) customer.Customer {
	h.t.Helper()
	c, err := h.Customers.ByID(context.Background(), c.ID)
	must(h.t, err)
	return c
}

func (h *house) fill(id int64, amount money.Amount) {
	h.t.Helper()
	ctx := context.Background()
	bank, err := h.ledger.Account(ctx, ledger.Bank, "test")
	must(h.t, err)
	_, err = h.ledger.Post(ctx, ledger.Posting{Key: "fill:" + strconv.FormatInt(h.db.NewID(), 10), Op: "test.fill",
		Entries: []ledger.Entry{{Account: bank, Amount: -amount}, {Account: id, Amount: amount}}})
	must(h.t, err)
}

func order(to customer.Customer, amount string) transfer.Order {
	return transfer.Order{Phone: to.Phone.String(), Amount: amount, Channel: "web", Address: "127.0.0.1"}
}

func (h *house) quote(from, to customer.Customer, amount string) transfer.Draft {
	h.t.Helper()
	draft, err := h.Quote(context.Background(), from, order(to, amount))
	must(h.t, err)
	return draft
}

// send quotes and accepts.
func (h *house) send(from, to customer.Customer, amount string) transfer.Transfer {
	h.t.Helper()
	t, err := h.Accept(context.Background(), from, customer.Web, h.quote(from, to, amount).ID)
	must(h.t, err)
	return t
}

// level changes the limits of everybody.
func (h *house) level(column string, amount money.Amount) {
	h.t.Helper()
	ctx := context.Background()
	must(h.t, h.db.Gorm(ctx).Exec("UPDATE catalog_levels SET "+column+" = ?", amount).Error)
	must(h.t, h.db.Gorm(ctx).Exec("UPDATE catalog_state SET version = version + 1").Error)
	eventually(h.t, "the catalogue notices", func() bool {
		l, err := h.Catalog.Level(ctx, catalog.StandardLevel)
		must(h.t, err)
		return map[string]money.Amount{"balance": l.Balance, "operation": l.Operation, "day": l.Day, "month": l.Month}[column] == amount
	})
}

func (h *house) holds(c customer.Customer, want money.Amount) {
	h.t.Helper()
	got, err := h.wallets.Balance(context.Background(), c.ID)
	must(h.t, err)
	if got != want {
		h.t.Fatalf("wallet holds %s, want %s", got, want)
	}
}

// audited proves the books, but for the acts: the tests fill wallets by one of
// their own.
func (h *house) audited() {
	h.t.Helper()
	proof, err := audit.Run(context.Background(), h.db)
	must(h.t, err)
	proof.Checks = slices.DeleteFunc(proof.Checks, func(c audit.Check) bool { return c.Invariant == "acts" })
	if !proof.OK() {
		h.t.Fatalf("the books don't hold: %v", proof.Violations)
	}
}

// rows counts what a query finds.
func (h *house) rows(query string, args ...any) (n int) {
	h.t.Helper()
	must(h.t, h.db.Gorm(context.Background()).Raw(query, args...).Scan(&n).Error)
	return n
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func kindIs(t *testing.T, err error, kind fault.Kind, reason fault.Reason, field string) {
	t.Helper()
	f := fault.As(err)
	if err == nil || f.Kind != kind || f.Reason != reason || f.Field != field {
		t.Fatalf("got %v, want %s %s at %q", err, kind, reason, field)
	}
}
