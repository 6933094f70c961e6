package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"elsom/internal/catalog"
	"elsom/internal/config"
	"elsom/internal/database"
	"elsom/internal/i18n"
	"elsom/web/session"
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
	tuneGC(ctx)
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
	refused, err := readPasswordList(cfg.PasswordList)
	if err != nil {
		return err
	}
	a, err := openApp(ctx, cfg, func(a *app) error {
		a.refusedPasswords = refused
		return a.wire()
	})
	if err != nil {
		return err
	}
	defer a.close()
	if err := a.prepare(ctx); err != nil {
		return err
	}
	a.warnBillers(ctx)
	a.warnCatalog(ctx)
	if database.UsesPlaintext(cfg.DatabaseURL.Reveal()) {
		slog.Warn("database: PostgreSQL is on another machine and may be reached without TLS; " +
			"add sslmode=verify-full (and sslrootcert=FILE) to ELSOM_DATABASE_URL")
	}
	if database.TrustsAnyServer(cfg.DatabaseURL.Reveal()) {
		slog.Warn("database: PostgreSQL is on another machine and its certificate is not verified; " +
			"use sslmode=verify-full (and sslrootcert=FILE) in ELSOM_DATABASE_URL")
	}
	if cfg.MetricsListen != "" {
		metricsListener, err := listen(ctx, cfg.MetricsListen)
		if err != nil {
			return err
		}
		a.metrics = newMetrics(a)
		go a.metrics.serve(ctx, metricsListener)
	}
	sessions, server, err := a.handlers()
	if err != nil {
		return err
	}
	return a.serve(ctx, listener, sessions, server)
}

func listen(ctx context.Context, address string) (net.Listener, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("can't listen on %s: %w", address, err)
	}
	return listener, nil
}

// prepare migrates the database and records the server's keys in it. In
// production it returns an error if demo credentials are enabled.
func (a *app) prepare(ctx context.Context) error {
	//mutant:drop ./internal/e2e TestServeRefusesShadowedTables
	if err := a.db.CheckOneSchema(ctx); err != nil {
		return err
	}
	if err := a.migrateOrServe(ctx); err != nil {
		return err
	}
	//mutant:drop ./internal/e2e TestServeNeedsTheServingRights
	if err := a.db.CheckServingRights(ctx); err != nil {
		return err
	}
	if !a.config.Development() {
		//mutant:drop ./internal/e2e TestProductionRejectsDemoAgents
		if err := a.refuseDemo(ctx); err != nil {
			return err
		}
	}
	if err := recordKeys(ctx, a.db, a.config); err != nil {
		return err
	}
	if a.config.Development() {
		return errors.Join(a.agents.SeedDevelopment(ctx), a.gateways.SeedDevelopment(ctx))
	}
	if err := a.warnOwner(ctx); err != nil {
		return err
	}
	return a.warnOpenCallers(ctx)
}

// warnOwner logs that the portal's role could change the schema and what is
// append-only.
func (a *app) warnOwner(ctx context.Context) error {
	owner, err := a.db.OwnsTables(ctx)
	if owner {
		slog.WarnContext(ctx, "database: the portal's role owns the tables, so it may change what is append-only; serve with another one: elsom help postgres")
	}
	return err
}

// refuseDemo returns an error if a demo agent or gateway with its public password
// is enabled.
func (a *app) refuseDemo(ctx context.Context) error {
	var problems []error
	enabled, err := a.agents.HasDevelopmentCredentials(ctx)
	if err != nil {
		return err
	}
	if enabled {
		problems = append(problems, errors.New("a demo agent with its public password is enabled; run `elsom agent disable` for kicb, mobilnik and qiwi"))
	}
	if enabled, err = a.gateways.HasDevelopmentCredentials(ctx); err != nil {
		return err
	}
	if enabled {
		problems = append(problems, errors.New("the demo gateway with its public password is enabled; run `elsom gateway disable ussd`"))
	}
	return errors.Join(problems...)
}

// migrateOrServe migrates the schema to this release. The schema of a later release
// is left alone if this one can serve with it.
func (a *app) migrateOrServe(ctx context.Context) error {
	if err := a.db.CheckSchema(ctx); !errors.Is(err, database.ErrNewer) {
		return migrate(ctx, a.db)
	}
	if err := a.db.CheckCompatible(ctx); err != nil {
		return err
	}
	slog.WarnContext(ctx, "database: serving with the schema of a later release; run all other commands from that release")
	return nil
}

// warnBillers logs a missing address of DosTek and billers of the catalog that
// are reached in clear text. (Config warns of ELSOM_DOSTEK_URL.)
func (a *app) warnBillers(ctx context.Context) {
	billers, err := a.catalog.Billers(ctx)
	if err != nil {
		slog.WarnContext(ctx, "catalog: reading the billers failed", "error", err)
	}
	for _, b := range billers {
		switch {
		case !b.Connected() && b.Code == catalog.DostekBiller:
			slog.WarnContext(ctx, "dostek: ELSOM_DOSTEK_URL is not set; its service is not offered")
		//mutant:drop ./internal/e2e TestServeWarns
		case !a.config.Development() && b.URL != a.config.DosTekURL.Reveal() && config.InClear(b.URL):
			slog.WarnContext(ctx, "catalog: payments go to a biller in clear text; use https, or a tunnel or VPN", "biller", b.Code)
		}
	}
}

// serve runs the HTTP server and the workers until ctx ends. In-flight requests
// end first, then the workers finish the messages that they hold; the rest stays
// in the outbox.
func (a *app) serve(ctx context.Context, listener net.Listener, sessions *session.Sessions, server *echo.Echo) error {
	working, stopWorking := context.WithCancel(context.WithoutCancel(ctx))
	defer stopWorking()
	var workers sync.WaitGroup
	if err := a.startWorkers(working, &workers, sessions); err != nil {
		return err
	}
	server.Listener = listener
	failed := make(chan error, 1)
	go func() { failed <- server.Server.Serve(listener) }()
	slog.Info("serve: started", "config", a.config)
	debug.FreeOSMemory() // what the start needed and an idle process doesn't

	var err error
	select {
	case err = <-failed:
	case <-ctx.Done():
		a.drain(server, failed)
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

// drain fails the health check so that load balancers stop sending traffic.
// Requests that still arrive are served until the listener closes.
func (a *app) drain(server *echo.Echo, failed <-chan error) {
	//mutant:drop ./internal/e2e TestDraining
	a.draining.Store(true)
	server.Server.SetKeepAlivesEnabled(false)
	slog.Info("serve: draining", "for", a.config.Drain.String())
	select {
	case <-time.After(a.config.Drain):
	case err := <-failed:
		slog.Warn("serve: the server failed", "error", err)
	}
}
