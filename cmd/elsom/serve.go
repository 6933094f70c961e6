package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"elsom/internal/catalog"
	"elsom/internal/config"
	"elsom/internal/database"
	"elsom/internal/fault"
	"elsom/internal/i18n"
	"elsom/internal/keycheck"
	"elsom/internal/notify/email"
	emailinbox "elsom/internal/notify/email/inbox"
	"elsom/internal/notify/email/smtp"
	"elsom/internal/notify/push"
	"elsom/internal/notify/push/webpush"
	"elsom/internal/notify/sms"
	"elsom/internal/notify/sms/inbox"
	"elsom/internal/notify/sms/kannel"
	"elsom/internal/outbox"
	"elsom/web"
	"elsom/web/portal"
	"elsom/web/session"
	receipts "elsom/web/smsreceipt"
	"elsom/web/terminal"
	"elsom/web/ussd"
)

// drainTime is how long requests under way may take after SIGTERM.
const drainTime = 15 * time.Second

type serveCommand struct{}

// Run serves until SIGTERM or SIGINT, then finishes what was accepted.
func (serveCommand) Run(ctx context.Context) error {
	cfg, err := config.Load()
	if err != nil {
		return err
	}
	collectRarely(ctx)
	for _, w := range cfg.Warnings {
		slog.Warn("config: "+w.Reason, "variable", w.Variable)
	}
	if err := i18n.Check(); err != nil {
		return err
	}
	// The port comes first: a second start must not touch the database.
	listener, err := listen(ctx, cfg.Listen)
	if err != nil {
		return err
	}
	defer func() { _ = listener.Close() }()
	h, err := newHouse(ctx, cfg)
	if err != nil {
		return err
	}
	defer h.close()
	if err := h.prepare(ctx); err != nil {
		return err
	}
	h.warnBillers(ctx)
	if database.UsesPlaintext(cfg.DatabaseURL.Reveal()) {
		slog.Warn("database: PostgreSQL is on another machine and may be reached without TLS; " +
			"add sslmode=verify-full (and sslrootcert=FILE) to ELSOM_DATABASE_URL")
	}
	if cfg.MetricsListen != "" {
		figures, err := listen(ctx, cfg.MetricsListen)
		if err != nil {
			return err
		}
		h.metrics = newMetrics(h)
		go h.metrics.serve(ctx, figures)
	}
	sessions, server, err := h.handlers()
	if err != nil {
		return err
	}
	return h.serve(ctx, listener, sessions, server)
}

func listen(ctx context.Context, address string) (net.Listener, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("can't listen on %s: %w", address, err)
	}
	return listener, nil
}

// prepare makes the database ready, and refuses what production must not have.
func (h *house) prepare(ctx context.Context) error {
	if err := h.migrateOrFit(ctx); err != nil {
		return err
	}
	if !h.config.Development() {
		if err := h.refuseDemo(ctx); err != nil {
			return err
		}
	}
	// The first start on a database records its keys; of concurrent starts with
	// different keys only one succeeds.
	//mutant:replace Record => Verify ./internal/e2e TestTwoKeysOnAnEmptyDatabase/sqlite
	if err := keycheck.Record(ctx, h.db, serverKeys(h.config)...); err != nil {
		return explainKeys(err)
	}
	if h.config.Development() {
		return errors.Join(h.agents.SeedDevelopment(ctx), h.gateways.SeedDevelopment(ctx))
	}
	return h.warnOpenCallers(ctx)
}

// refuseDemo returns an error if a demo agent or gateway with its public password
// is enabled.
func (h *house) refuseDemo(ctx context.Context) error {
	var problems []error
	open, err := h.agents.HasDevelopmentCredentials(ctx)
	if err != nil {
		return err
	}
	if open {
		problems = append(problems, errors.New("a demo agent with its public password is open; run `elsom agent disable` for kicb, mobilnik and qiwi"))
	}
	if open, err = h.gateways.HasDevelopmentCredentials(ctx); err != nil {
		return err
	}
	if open {
		problems = append(problems, errors.New("the demo gateway with its public password is open; run `elsom gateway disable ussd`"))
	}
	return errors.Join(problems...)
}

// migrateOrFit migrates the schema to this release. The schema of a later release
// is left alone if this one can serve with it.
func (h *house) migrateOrFit(ctx context.Context) error {
	if err := h.db.CheckSchema(ctx); !errors.Is(err, database.ErrNewer) {
		return migrate(ctx, h.db)
	}
	if err := h.db.CheckCompatible(ctx); err != nil {
		return err
	}
	slog.WarnContext(ctx, "database: serving with the schema of a later release; run all other commands from that release")
	return nil
}

// warnBillers logs a missing address of DosTek and billers of the catalog that
// are reached in clear text. (Config warns of ELSOM_DOSTEK_URL.)
func (h *house) warnBillers(ctx context.Context) {
	billers, err := h.catalog.Billers(ctx)
	if err != nil {
		slog.WarnContext(ctx, "catalog", "error", err)
	}
	for _, b := range billers {
		switch {
		case !b.Connected() && b.Code == catalog.DostekBiller:
			slog.WarnContext(ctx, "dostek: ELSOM_DOSTEK_URL is not set; its service is not offered")
		//mutant:drop ./internal/e2e TestServeWarns
		case !h.config.Development() && b.URL != h.config.DosTekURL.Reveal() && config.InClear(b.URL):
			slog.WarnContext(ctx, "catalog: payments go to a biller in clear text; use https, or a tunnel or VPN", "biller", b.Code)
		}
	}
}

// handlers returns the browser sessions and the server with all routes.
func (h *house) handlers() (*session.Sessions, *echo.Echo, error) {
	sessions, err := session.New(h.db, session.Options{
		Secret: []byte(h.config.SecretKey.Reveal()), Secure: h.config.HTTPS(), Public: h.config.BaseURL,
		Left: push.RemoveBrowser, Ended: push.RemoveForCustomer,
	})
	if err != nil {
		return nil, nil, err
	}
	menu := ussd.New(ussd.Parts{
		Dialogues: h.dialogues, Customers: h.customers, Catalog: h.catalog, Payments: h.payments,
		Transfers: h.transfers, Wallets: h.wallets, Gateways: h.gateways, Attempts: h.attempts, Now: h.db.Now,
	}, slog.Default())
	h.ussd.Store(menu)
	handlers := web.Handlers{
		Sessions: sessions,
		Portal: portal.New(portal.Services{
			Customers: h.customers, Wallets: h.wallets, Transfers: h.transfers, Closing: h.closing, Payments: h.payments, Catalog: h.catalog, Agents: h.agents,
			Messages: h.messages, Sessions: sessions, Now: h.db.Now, Notices: h.notices, Development: h.config.Development(),
		}),
		Terminal:       terminal.New(h.agents, h.cashin, slog.Default()),
		USSD:           menu,
		Receipts:       receipts.New(h.gateways, h.messages),
		Healthy:        h.healthy,
		TrustedProxies: h.config.TrustedProxies,
		HTTPS:          h.config.HTTPS(), BaseURL: h.config.BaseURL,
	}
	if h.metrics != nil {
		handlers.Observe = h.metrics.observe
	}
	var server *echo.Echo
	if h.config.Development() {
		handlers.Dev = h.development(&server)
	}
	server = web.New(handlers)
	return sessions, server, nil
}

func (h *house) healthy(c echo.Context) error {
	ctx, cancel := context.WithTimeout(c.Request().Context(), 3*time.Second)
	defer cancel()
	if h.draining.Load() {
		return c.String(http.StatusServiceUnavailable, "draining\n")
	}
	if err := h.db.CheckReady(ctx); err != nil {
		slog.WarnContext(ctx, "health", "error", err)
		return c.String(http.StatusServiceUnavailable, "unavailable\n")
	}
	return c.String(http.StatusOK, "ok\n")
}

// serve runs the doors and the workers until ctx ends. Requests under way end
// first, then the workers finish what they hold; what is left is in the outbox.
func (h *house) serve(ctx context.Context, listener net.Listener, sessions *session.Sessions, server *echo.Echo) error {
	working, stopWorking := context.WithCancel(context.WithoutCancel(ctx))
	defer stopWorking()
	var workers sync.WaitGroup
	if err := h.work(working, &workers, sessions); err != nil {
		return err
	}
	server.Listener = listener
	failed := make(chan error, 1)
	go func() { failed <- server.Server.Serve(listener) }()
	slog.Info("serving", "config", h.config)

	var err error
	select {
	case err = <-failed:
	case <-ctx.Done():
		h.drain(server, failed)
		drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
		defer cancel()
		err = server.Server.Shutdown(drain)
	}
	stopWorking()
	workers.Wait()
	if errors.Is(err, http.ErrServerClosed) {
		err = nil
	}
	return err
}

// drain lets whoever leads people here find out that it must lead them
// elsewhere; until the doors close everybody is served.
func (h *house) drain(server *echo.Echo, failed <-chan error) {
	//mutant:drop ./internal/e2e TestDraining
	h.draining.Store(true)
	server.Server.SetKeepAlivesEnabled(false)
	slog.Info("draining", "for", h.config.Drain.String())
	select {
	case <-time.After(h.config.Drain):
	case err := <-failed:
		slog.Warn("draining", "error", err)
	}
}

// work starts all workers.
func (h *house) work(ctx context.Context, workers *sync.WaitGroup, sessions *session.Sessions) error {
	workers.Go(func() { h.payments.Deliver(ctx) })
	text, err := h.smsGateway()
	if err != nil {
		return err
	}
	if text != nil {
		for _, worker := range sms.Workers(h.db, h.sealer, text, h.smsOptions()) {
			workers.Go(func() { outbox.Work(ctx, h.db, h.bell, worker) })
		}
	}
	mail, err := h.emailGateway()
	if err != nil {
		return err
	}
	if mail != nil {
		workers.Go(func() { outbox.Work(ctx, h.db, h.bell, email.NewWorker(h.db, mail)) })
	}
	if h.notices != nil {
		wire, err := webpush.New(webpush.Options{Key: h.config.VAPIDKey.Reveal(), Subject: h.config.BaseURL})
		if err != nil {
			return err
		}
		workers.Go(func() { outbox.Work(ctx, h.db, h.bell, h.notices.Worker(wire)) })
	}
	workers.Go(func() { h.tidy(ctx, sessions) })
	workers.Go(func() { h.ceilings.watch(ctx) })
	return nil
}

// smsOptions limits messages to a number unless ELSOM_RATE_LIMITS is off.
func (h *house) smsOptions() sms.Options {
	o := sms.Options{Dropped: func() { h.dropped.Add(1) }}
	if h.config.RateLimits {
		o.DailyNotices = sms.DailyNotices
	}
	return o
}

// smsGateway is where messages go; without one they wait.
func (h *house) smsGateway() (sms.Gateway, error) {
	switch {
	case h.config.Development():
		return inbox.New(h.db), nil
	case h.config.SMSURL.Set():
		return kannel.New(kannel.Options{URL: h.config.SMSURL.Reveal(), Receipts: h.config.SMSReceiptsURL.Reveal()})
	}
	slog.Warn("sms: ELSOM_SMS_URL is not set; messages wait")
	return nil, nil
}

func (h *house) emailGateway() (email.Gateway, error) {
	switch {
	case h.config.Development():
		return emailinbox.New(h.db), nil
	case h.config.SMTPURL.Set():
		return smtp.New(h.config.SMTPURL.Reveal(), h.db.Now)
	}
	return nil, nil
}

// tidy deletes what serves no more: dialogues every minute, since they hold
// what was typed, the rest every ten.
func (h *house) tidy(ctx context.Context, sessions *session.Sessions) {
	var both sync.WaitGroup
	defer both.Wait()
	both.Go(func() { purge(ctx, time.Minute, purges{"dialogues": h.dialogues.Purge}) })
	purge(ctx, 10*time.Minute, purges{
		"drafts": h.payments.Purge, "transfer drafts": h.transfers.Purge, "codes": h.customers.Purge, "tries": h.attempts.Purge, "sessions": sessions.Purge,
	})
}

type purges map[string]func(context.Context) (int64, error)

func purge(ctx context.Context, pause time.Duration, all purges) {
	for {
		for what, purge := range all {
			if _, err := purge(ctx); err != nil && ctx.Err() == nil && !fault.Is(err, fault.Unavailable) {
				slog.WarnContext(ctx, "tidy", "what", what, "error", err)
			}
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return
		}
	}
}
