// Package testkit wires the application services once, for the tests of all
// packages above them. Only the billers are faked.
//
// Tests inside a package that testkit imports can't use it; they are written as
// external tests (package x_test).
package testkit

import (
	"context"
	"testing"
	"time"

	"elsom/internal/biller"
	"elsom/internal/cashin"
	"elsom/internal/catalog"
	"elsom/internal/credential"
	"elsom/internal/customer"
	"elsom/internal/database"
	"elsom/internal/history"
	"elsom/internal/ledger"
	"elsom/internal/money"
	"elsom/internal/notice"
	"elsom/internal/notify/email"
	"elsom/internal/notify/push"
	"elsom/internal/notify/sms"
	"elsom/internal/outbox"
	"elsom/internal/paylist"
	"elsom/internal/payment"
	"elsom/internal/paytemplate"
	"elsom/internal/phone"
	"elsom/internal/ratelimit"
	"elsom/internal/receiptlink"
	"elsom/internal/securitylog"
	"elsom/internal/testkit/require"
	"elsom/internal/transfer"
	"elsom/internal/wallet"
)

// Secret is the server's secret and the pepper of PINs.
var Secret = []byte("a secret of thirty-two bytes or more")

// WeakHash makes the hashing of passwords and PINs cheap.
var WeakHash = customer.Hash{MemoryKiB: 64, Passes: 1, AtOnce: 4}

// Options configure an App. The zero value means a development catalog, one fake
// biller that accepts every payment, and all rate limits.
type Options struct {
	NoRateLimits bool
	Hash         customer.Hash // zero: WeakHash
	Ledger       ledger.Options
	Push         *push.Options                      // nil: no push notifications
	Email        bool                               // e-mails are queued
	Timing       func(*payment.Timing)              // changes short pauses between attempts
	Biller       *Biller                            // nil: NewBiller()
	Client       func(catalog.Biller) biller.Biller // nil: Biller for all
}

// App is all application services on one database.
type App struct {
	T         testing.TB
	DB        *database.DB
	Ledger    *ledger.Ledger
	Notifier  *outbox.Notifier
	Counters  *ratelimit.Counters
	Security  *securitylog.Log
	Sealer    *sms.Sealer
	Letters   *email.Sealer
	Messages  *sms.Messages
	Catalog   *catalog.Catalog
	Customers *customer.Customers
	Wallets   *wallet.Wallets
	History   *history.History
	Closing   *wallet.Closing
	Payments  *payment.Payments
	Transfers *transfer.Transfers
	CashIn    *cashin.CashIn
	Agents    *cashin.Agents
	Links     *receiptlink.Links
	Templates *paytemplate.Templates
	Lists     *paylist.Lists
	Gateways  *credential.Gateways
	Push      *push.Subscriptions // nil without Options.Push
	Biller    *Biller
	notices   notice.Sender
	// PaymentParts are what Payments is made of. Another payment.Payments of them has its
	// own memory, as in another process.
	PaymentParts payment.Parts
}

// New wires all services on a database. The catalog is seeded; no worker runs.
func New(t testing.TB, db *database.DB, o Options) *App {
	t.Helper()
	a := &App{T: t, DB: db, Notifier: outbox.NewNotifier(), Biller: o.Biller}
	if a.Biller == nil {
		a.Biller = NewBiller()
	}
	a.identity(o)
	a.money(o)
	return a
}

// identity creates the services for customers, agents, gateways and rate limits.
func (a *App) identity(o Options) {
	a.T.Helper()
	var err error
	a.Sealer, err = sms.NewSealer(Secret)
	require.NoError(a.T, err)
	a.Messages = sms.NewMessages(a.DB, a.Sealer)
	a.Counters, err = ratelimit.New(a.DB, ratelimit.Options{Secret: Secret, Off: o.NoRateLimits})
	require.NoError(a.T, err)
	a.Security, err = securitylog.New(a.DB, securitylog.Options{Secret: Secret})
	require.NoError(a.T, err)
	a.Catalog = catalog.New(a.DB, catalog.Options{Development: true})
	require.NoError(a.T, a.Catalog.Seed(context.Background()))
	if o.Hash == (customer.Hash{}) {
		o.Hash = WeakHash
	}
	a.Letters, err = email.NewSealer(Secret)
	require.NoError(a.T, err)
	mail := a.Letters
	if !o.Email {
		mail = nil
	}
	a.Customers, err = customer.New(a.DB, customer.Options{
		Secret: Secret, PINPepper: Secret, Counters: a.Counters, Sealer: a.Sealer, OpenWallet: wallet.Open,
		Levels: a.Catalog, Balance: func(ctx context.Context, id int64) (money.Amount, error) { return a.Ledger.Balance(ctx, id) },
		SecurityLog: a.Security, Hash: o.Hash, IssuedPINLife: 30 * 24 * time.Hour, Email: mail,
	})
	require.NoError(a.T, err)
	a.Templates = paytemplate.New(a.DB)
	a.Links, err = receiptlink.New(a.DB, receiptlink.Options{Secret: Secret, Counters: a.Counters})
	require.NoError(a.T, err)
	a.Agents, err = cashin.NewAgents(a.DB, a.Counters, Secret)
	require.NoError(a.T, err)
	a.Gateways, err = credential.NewGateways(a.DB, a.Counters, Secret)
	require.NoError(a.T, err)
	if o.Push != nil {
		o.Push.Counters = a.Counters
		a.Push = push.New(a.DB, *o.Push)
	}
	a.notices = notice.Sender{Push: a.Push, Email: o.Email}
}

// money creates the ledger and the services that post to it.
func (a *App) money(o Options) {
	a.Ledger = ledger.New(a.DB, o.Ledger)
	a.T.Cleanup(a.Ledger.Close)
	a.Wallets = wallet.New(a.Ledger)
	a.History = history.New(a.DB)
	a.Closing = wallet.NewClosing(wallet.ClosingParts{DB: a.DB, Ledger: a.Ledger, Notifier: a.Notifier, Customers: a.Customers})
	timing := payment.DefaultTiming()
	timing.Pauses = []time.Duration{20 * time.Millisecond, 40 * time.Millisecond}
	if o.Timing != nil {
		o.Timing(&timing)
	}
	if o.Client == nil {
		o.Client = func(catalog.Biller) biller.Biller { return a.Biller }
	}
	a.PaymentParts = payment.Parts{
		DB: a.DB, Ledger: a.Ledger, Notifier: a.Notifier, Catalog: a.Catalog, Customers: a.Customers, Counters: a.Counters,
		Client: o.Client, Timing: timing, Notices: a.notices,
	}
	a.Payments = payment.New(a.PaymentParts)
	a.Lists = paylist.New(paylist.Parts{
		DB: a.DB, Ledger: a.Ledger, Notifier: a.Notifier, Catalog: a.Catalog, Customers: a.Customers, Counters: a.Counters, Payments: a.Payments,
	})
	a.Transfers = transfer.New(a.TransferParts())
	a.CashIn = cashin.New(cashin.Parts{
		Counters: a.Counters, Notices: a.notices,
		DB: a.DB, Books: a.Ledger, Levels: a.Catalog, Notifier: a.Notifier, Wallets: cashin.WalletsFunc(a.walletOf),
	})
}

// TransferParts returns what a transfer.Transfers of this app is made of.
func (a *App) TransferParts() transfer.Parts {
	return transfer.Parts{DB: a.DB, Ledger: a.Ledger, Notifier: a.Notifier, Catalog: a.Catalog, Customers: a.Customers, Counters: a.Counters, Notices: a.notices}
}

func (a *App) walletOf(ctx context.Context, number phone.Number) (cashin.Wallet, error) {
	c, err := a.Customers.Receiver(ctx, number)
	return cashin.Wallet{Customer: c.ID, Blocked: c.Blocked, Lang: c.Lang, Level: c.Level, Holder: c}, err
}
