package main

import (
	"context"
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
	"elsom/internal/keycheck"
	"elsom/internal/ledger"
	"elsom/internal/notify/push"
	"elsom/internal/notify/push/webpush"
	"elsom/internal/notify/sms"
	"elsom/internal/outbox"
	"elsom/internal/payment"
	"elsom/internal/phone"
	"elsom/internal/ratelimit"
	"elsom/internal/transfer"
	"elsom/internal/ussdsession"
	"elsom/internal/wallet"
	"elsom/web/ussd"
)

// house is the acts joined together, with no door open yet.
type house struct {
	config    *config.Config
	db        *database.DB
	ledger    *ledger.Ledger
	bell      *outbox.Notifier
	sealer    *sms.Sealer
	messages  *sms.Messages
	attempts  *ratelimit.Counters
	catalog   *catalog.Catalog
	customers *customer.Customers
	wallets   *wallet.Wallets
	transfers *transfer.Transfers
	closing   *wallet.Closing
	wires     *wires
	payments  *payment.Payments
	agents    *cashin.Agents
	gateways  *credential.Gateways
	dialogues *ussdsession.Dialogues[ussd.Content]
	cashin    *cashin.CashIn
	notices   *push.Subscriptions // nil: no key, no notices
	ceilings  *ceilings
	metrics   *metrics                  // nil without ELSOM_METRICS_LISTEN
	ussd      atomic.Pointer[ussd.Door] // nil until routes are set up
	dropped   atomic.Int64              // SMS notices dropped by the daily limit
	draining  atomic.Bool               // it is about to end
}

func newHouse(ctx context.Context, cfg *config.Config, options ...database.Option) (*house, error) {
	ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
	defer cancel()
	db, err := database.Open(ctx, cfg.DatabaseURL.Reveal(), options...)
	if err != nil {
		return nil, err
	}
	// Checked before anything is migrated, read or written with a wrong key.
	//mutant:replace , serverKeys(cfg)... => ./internal/e2e TestKeysOfAnotherDatabase/sqlite
	if err := keycheck.Verify(ctx, db, serverKeys(cfg)...); err != nil {
		_ = db.Close()
		return nil, explainKeys(err)
	}
	h := &house{config: cfg, db: db, bell: outbox.NewNotifier()}
	if err := h.join(); err != nil {
		_ = db.Close()
		return nil, err
	}
	return h, nil
}

func (h *house) join() (err error) {
	secret, pepper := []byte(h.config.SecretKey.Reveal()), []byte(h.config.PINPepper.Reveal())
	if h.sealer, err = sms.NewSealer(secret); err != nil {
		return err
	}
	h.messages = sms.NewMessages(h.db, h.sealer)
	if h.attempts, err = ratelimit.New(h.db, ratelimit.Options{Secret: secret, Off: !h.config.RateLimits}); err != nil {
		return err
	}
	h.catalog = catalog.New(h.db, catalog.Options{
		Development: h.config.Development(), DostekURL: h.config.DosTekURL.Reveal(),
		// The stand-in's other services stand beside DosTek's.
		StandInURL: strings.TrimSuffix(h.config.DosTekURL.Reveal(), "/pay"),
	})
	h.customers, err = customer.New(h.db, customer.Options{
		Secret: secret, PINPepper: pepper,
		Attempts: h.attempts, Sealer: h.sealer, OpenWallet: wallet.Open,
		Level: catalog.StandardLevel, Budget: customer.BudgetOf(h.config.SMSBudget), Email: h.config.Development() || h.config.SMTPURL.Set(),
	})
	if err != nil {
		return err
	}
	if h.agents, err = cashin.NewAgents(h.db, h.attempts, secret); err != nil {
		return err
	}
	if h.gateways, err = credential.NewGateways(h.db, h.attempts, secret); err != nil {
		return err
	}
	if h.dialogues, err = ussdsession.New[ussd.Content](h.db, ussdsession.Options{Secret: secret, Pepper: pepper}); err != nil {
		return err
	}
	h.ledger = ledger.New(h.db, ledger.Options{})
	h.wallets = wallet.New(h.ledger)
	h.transfers = transfer.New(transfer.Parts{
		DB: h.db, Ledger: h.ledger, Bell: h.bell, Catalog: h.catalog, Customers: h.customers, Attempts: h.attempts,
	})
	h.closing = wallet.NewClosing(wallet.ClosingParts{DB: h.db, Ledger: h.ledger, Bell: h.bell, Customers: h.customers})
	if h.config.VAPIDKey.Set() {
		public, err := webpush.PublicKey(h.config.VAPIDKey.Reveal())
		if err != nil {
			return err
		}
		h.notices = push.New(h.db, push.Options{Key: public, Hosts: h.config.PushHosts, Attempts: h.attempts})
	}
	h.wires = &wires{}
	if h.wires.logins, err = billerlogin.New(h.db, secret); err != nil {
		return err
	}
	if h.wires.certificates, err = readCertificates(h.config.BillerCertificates); err != nil {
		return err
	}
	h.payments = payment.New(payment.Parts{
		DB: h.db, Ledger: h.ledger, Bell: h.bell, Catalog: h.catalog, Customers: h.customers, Attempts: h.attempts,
		Wire: h.wires.to, Notices: h.notices,
	})
	h.ceilings = newCeilings(h.agents, h.ledger)
	h.cashin = cashin.New(cashin.Parts{
		DB: h.db, Books: h.ledger, Levels: h.catalog, Wallets: cashin.WalletsFunc(h.walletOf), Bell: h.bell,
		Ceiling: h.ceilings.count,
	})
	return nil
}

// walletOf tells a terminal's door whose wallet a number is.
func (h *house) walletOf(ctx context.Context, number phone.Number) (cashin.Wallet, error) {
	c, err := h.customers.ByPhone(ctx, number)
	if err != nil {
		return cashin.Wallet{}, err
	}
	return cashin.Wallet{Customer: c.ID, Blocked: c.Blocked, Lang: c.Lang, Level: c.Level}, nil
}

func (h *house) close() {
	h.ledger.Close()
	if err := h.db.Close(); err != nil {
		slog.Warn("database: close", "error", err)
	}
}
