package main

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	"elsom/internal/billerlogin"
	"elsom/internal/cashin"
	"elsom/internal/catalog"
	"elsom/internal/config"
	"elsom/internal/credential"
	"elsom/internal/customer"
	"elsom/internal/database"
	"elsom/internal/history"
	"elsom/internal/ledger"
	"elsom/internal/money"
	"elsom/internal/notice"
	"elsom/internal/notify/email"
	"elsom/internal/notify/push"
	"elsom/internal/notify/push/webpush"
	"elsom/internal/notify/sms"
	"elsom/internal/outbox"
	"elsom/internal/password"
	"elsom/internal/paylist"
	"elsom/internal/payment"
	"elsom/internal/paytemplate"
	"elsom/internal/phone"
	"elsom/internal/ratelimit"
	"elsom/internal/receiptlink"
	"elsom/internal/securitylog"
	"elsom/internal/transfer"
	"elsom/internal/translog"
	"elsom/internal/ussdsession"
	"elsom/internal/wallet"
	"elsom/web/portal"
	"elsom/web/ussd"
)

// app has the application services of one process on one database.
type app struct {
	config   *config.Config
	db       *database.DB
	notifier *outbox.Notifier
	counters *ratelimit.Counters
	security *securitylog.Log

	catalog      *catalog.Catalog
	customers    *customer.Customers
	agents       *cashin.Agents
	gateways     *credential.Gateways
	links        *receiptlink.Links
	templates    *paytemplate.Templates
	lists        *paylist.Lists
	ussdSessions *ussdsession.Sessions[ussd.Content]

	log      *translog.Log
	sealer   *sms.Sealer
	letters  *email.Sealer
	messages *sms.Messages
	push     *push.Subscriptions // nil without ELSOM_VAPID_KEY

	ledger    *ledger.Ledger
	wallets   *wallet.Wallets
	history   *history.History
	closing   *wallet.Closing
	transfers *transfer.Transfers
	billers   *billerClients
	payments  *payment.Payments
	cashin    *cashin.CashIn

	// refusedPasswords is the list of ELSOM_PASSWORD_LIST; only serve reads it.
	refusedPasswords *password.Refused

	ceilings       *ceilingMonitor
	metrics        *metrics                     // nil without ELSOM_METRICS_LISTEN
	portal         *portal.Portal               // nil until routes are set up
	ussd           atomic.Pointer[ussd.Handler] // nil until routes are set up
	droppedNotices atomic.Int64                 // SMS notices dropped by the daily limit
	draining       atomic.Bool                  // set when the process is about to exit
}

// openApp opens the database of the configuration and wires the services that a
// command needs on it. It listens on no port and starts no worker.
func openApp(ctx context.Context, cfg *config.Config, wire func(a *app) error, options ...database.Option) (*app, error) {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	db, err := database.Open(ctx, cfg.DatabaseURL.Reveal(), append(options, database.WithKeys(cfg.BooksKeys(), cfg.BooksEnforce))...)
	if err != nil {
		return nil, err
	}
	// Checked before anything is migrated, read or written with a wrong key.
	if err := verifyKeys(ctx, db, cfg); err != nil {
		_ = db.Close()
		return nil, err
	}
	a := &app{config: cfg, db: db, notifier: outbox.NewNotifier()}
	if err := wire(a); err != nil {
		a.close()
		return nil, err
	}
	return a, nil
}

// secrets are the server's secret and pepper, and those that they replace; nil: none.
type secrets struct{ secret, pepper, previousSecret, previousPepper []byte }

func secretsOf(cfg *config.Config) secrets {
	return secrets{
		[]byte(cfg.SecretKey.Reveal()), []byte(cfg.PINPepper.Reveal()),
		[]byte(cfg.SecretKeyPrevious.Reveal()), []byte(cfg.PINPepperPrevious.Reveal()),
	}
}

// wire wires all services.
func (a *app) wire() error {
	a.log = translog.New(a.db, translog.Options{Keys: a.config.CheckpointKeys(), Witness: a.config.CheckpointFile})
	s := secretsOf(a.config)
	if err := a.wireMessages(s); err != nil {
		return err
	}
	if err := a.wireBillers(s); err != nil {
		return err
	}
	if err := a.wireIdentity(s); err != nil {
		return err
	}
	a.wireMoney()
	return nil
}

// wireMessages wires SMS and push notifications, and the rate limits.
func (a *app) wireMessages(s secrets) (err error) {
	if a.sealer, err = sms.NewSealer(s.secret, s.previousSecret); err != nil {
		return err
	}
	if a.letters, err = email.NewSealer(s.secret, s.previousSecret); err != nil {
		return err
	}
	a.messages = sms.NewMessages(a.db, a.sealer)
	if a.counters, err = ratelimit.New(a.db, ratelimit.Options{Secret: s.secret, PreviousSecret: s.previousSecret, Off: !a.config.RateLimits}); err != nil {
		return err
	}
	if a.security, err = securitylog.New(a.db, securitylog.Options{Secret: s.secret, PreviousSecret: s.previousSecret, Keep: a.config.Retention.Security}); err != nil {
		return err
	}
	if !a.config.VAPIDKey.Set() {
		return nil
	}
	public, err := webpush.PublicKey(a.config.VAPIDKey.Reveal())
	if err != nil {
		return err
	}
	a.push = push.New(a.db, push.Options{Key: public, Hosts: a.config.PushHosts, Counters: a.counters})
	return nil
}

// wireBillers wires the catalog and the clients of billers.
func (a *app) wireBillers(s secrets) (err error) {
	a.catalog = catalog.New(a.db, catalog.Options{
		Development: a.config.Development(), DostekURL: a.config.DosTekURL.Reveal(),
		// The stand-in serves its other services beside DosTek's.
		StandInURL: strings.TrimSuffix(a.config.DosTekURL.Reveal(), "/pay"),
	})
	a.billers = &billerClients{}
	if a.billers.logins, err = billerlogin.New(a.db, s.secret, s.previousSecret); err != nil {
		return err
	}
	a.billers.certificates, err = readCertificates(a.config.BillerCertificates)
	return err
}

// wireIdentity wires customers, agents, gateways and USSD sessions.
func (a *app) wireIdentity(s secrets) (err error) {
	a.customers, err = customer.New(a.db, customer.Options{
		Secret: s.secret, PINPepper: s.pepper, PreviousSecret: s.previousSecret, PreviousPepper: s.previousPepper,
		Counters: a.counters, Sealer: a.sealer, OpenWallet: wallet.Open,
		Levels: a.catalog, Balance: func(ctx context.Context, id int64) (money.Amount, error) { return a.ledger.Balance(ctx, id) },
		SecurityLog: a.security, Refused: a.refusedPasswords, IssuedPINLife: a.config.IssuedPINLife, Budget: customer.BudgetOf(a.config.SMSBudget), Email: a.mailing(),
	})
	if err != nil {
		return err
	}
	a.templates = paytemplate.New(a.db)
	if a.links, err = receiptlink.New(a.db, receiptlink.Options{Secret: s.secret, PreviousSecret: s.previousSecret, Counters: a.counters}); err != nil {
		return err
	}
	if a.agents, err = cashin.NewAgents(a.db, a.counters, s.secret, s.previousSecret); err != nil {
		return err
	}
	if a.gateways, err = credential.NewGateways(a.db, a.counters, s.secret, s.previousSecret); err != nil {
		return err
	}
	a.ussdSessions, err = ussdsession.New[ussd.Content](a.db, ussdsession.Options{
		Secret: s.secret, Pepper: s.pepper, PreviousSecret: s.previousSecret, PreviousPepper: s.previousPepper,
	})
	return err
}

// wireMoney wires the ledger and the services that post to it.
func (a *app) wireMoney() {
	a.ledger = ledger.New(a.db, ledger.Options{})
	a.wallets = wallet.New(a.ledger)
	a.history = history.New(a.db)
	a.closing = wallet.NewClosing(wallet.ClosingParts{DB: a.db, Ledger: a.ledger, Notifier: a.notifier, Customers: a.customers})
	a.transfers = transfer.New(transfer.Parts{
		DB: a.db, Ledger: a.ledger, Notifier: a.notifier, Catalog: a.catalog, Customers: a.customers, Counters: a.counters, Notices: a.notices(),
	})
	a.payments = payment.New(payment.Parts{
		DB: a.db, Ledger: a.ledger, Notifier: a.notifier, Catalog: a.catalog, Customers: a.customers, Counters: a.counters,
		Client: a.billers.of, Notices: a.notices(),
	})
	a.lists = paylist.New(paylist.Parts{
		DB: a.db, Ledger: a.ledger, Notifier: a.notifier, Catalog: a.catalog, Customers: a.customers, Counters: a.counters, Payments: a.payments,
	})
	a.ceilings = newCeilingMonitor(a.agents, a.ledger)
	a.cashin = cashin.New(cashin.Parts{
		DB: a.db, Books: a.ledger, Levels: a.catalog, Wallets: cashin.WalletsFunc(a.walletOf), Notifier: a.notifier,
		Counters: a.counters, Notices: a.notices(), OnCeiling: a.ceilings.countRefusal,
	})
}

// notices returns the ways besides SMS by which customers are told of money.
func (a *app) notices() notice.Sender { return notice.Sender{Push: a.push, Email: a.mailing() != nil} }

// mailing returns what encrypts the codes in e-mails; nil without a mail server.
func (a *app) mailing() *email.Sealer {
	if a.config.Development() || a.config.SMTPURL.Set() {
		return a.letters
	}
	return nil
}

// walletOf implements cashin.Wallets.
func (a *app) walletOf(ctx context.Context, number phone.Number) (cashin.Wallet, error) {
	c, err := a.customers.Receiver(ctx, number)
	if err != nil {
		return cashin.Wallet{}, err
	}
	return cashin.Wallet{Customer: c.ID, Blocked: c.Blocked, Lang: c.Lang, Level: c.Level, Holder: c}, nil
}

func (a *app) close() {
	if a.ledger != nil {
		a.ledger.Close()
	}
	a.closeSecurityLog()
	if err := a.db.Close(); err != nil {
		slog.Warn("database: closing failed", "error", err)
	}
}

// closeSecurityLog writes the events that are still in memory.
func (a *app) closeSecurityLog() {
	if a.security == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := a.security.Close(ctx); err != nil {
		slog.Warn("securitylog: the last events were not written", "error", err)
	}
}

// withApp runs do with all services on a database that exists.
func withApp(ctx context.Context, do func(*app) error) error {
	cfg, err := config.Load()
	if err != nil {
		return err
	}
	a, err := openApp(ctx, cfg, (*app).wire, database.ExistingOnly)
	if err != nil {
		return err
	}
	defer a.close()
	return do(a)
}

// withoutPepper runs do with the services that need no pepper: messages, the catalog
// and billers.
func withoutPepper(ctx context.Context, do func(*app) error) error {
	cfg, err := config.LoadWithoutPepper()
	if err != nil {
		return err
	}
	a, err := openApp(ctx, cfg, func(a *app) error {
		return errors.Join(a.wireMessages(secretsOf(cfg)), a.wireBillers(secretsOf(cfg)))
	}, database.ExistingOnly)
	if err != nil {
		return err
	}
	defer a.close()
	return do(a)
}
