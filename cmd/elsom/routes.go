package main

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"elsom/internal/fault"
	"elsom/internal/notify/push"
	"elsom/internal/payment"
	"elsom/internal/receipt"
	"elsom/web"
	"elsom/web/portal"
	"elsom/web/session"
	receipts "elsom/web/smsreceipt"
	"elsom/web/terminal"
	"elsom/web/ussd"
)

// handlers returns the browser sessions and the HTTP server with all routes.
func (a *app) handlers() (*session.Sessions, *echo.Echo, error) {
	keys := secretsOf(a.config)
	sessions, err := session.New(a.db, session.Options{
		Secret: keys.secret, PreviousSecret: keys.previousSecret, Secure: a.config.HTTPS(), Public: a.config.BaseURL,
		Left: push.RemoveBrowser, Ended: push.RemoveForCustomer, SecurityLog: a.security,
	})
	if err != nil {
		return nil, nil, err
	}
	menu := ussd.New(ussd.Parts{
		Sessions: a.ussdSessions, Customers: a.customers, Catalog: a.catalog, Payments: a.payments,
		Transfers: a.transfers, Wallets: a.wallets, Gateways: a.gateways, Limits: a.counters, Now: a.db.Now,
	}, slog.Default())
	a.ussd.Store(menu)
	a.portal = portal.New(portal.Services{
		Customers: a.customers, Wallets: a.wallets, History: a.history, Transfers: a.transfers, Closing: a.closing, Payments: a.payments, Catalog: a.catalog, Agents: a.agents,
		Messages: a.messages, Sessions: sessions, Links: a.links, Security: a.security, Templates: a.templates, Lists: a.lists, Now: a.db.Now, Notices: a.push, Proof: a.proof(), Sealed: a.sealed(), BaseURL: a.config.BaseURL,
		Development: a.config.Development(),
	})
	handlers := web.Handlers{
		Sessions:       sessions,
		Portal:         a.portal,
		Terminal:       terminal.New(a.agents, a.cashin, slog.Default()),
		USSD:           menu,
		Receipts:       receipts.New(a.gateways, a.messages),
		Healthy:        a.healthy,
		Checkpoint:     a.checkpoint,
		SecurityLog:    a.security,
		TrustedProxies: a.config.TrustedProxies,
		HTTPS:          a.config.HTTPS(), BaseURL: a.config.BaseURL,
	}
	if a.metrics != nil {
		handlers.Observe = a.metrics.observe
	}
	var server *echo.Echo
	//mutant:replace a.config.Development() => true ./internal/e2e TestProductionHasNoDevelopmentPages
	if a.config.Development() {
		handlers.Dev = a.devPages(&server)
	}
	server = web.New(handlers)
	return sessions, server, nil
}

func (a *app) healthy(c echo.Context) error {
	ctx, cancel := context.WithTimeout(c.Request().Context(), 3*time.Second)
	defer cancel()
	if a.draining.Load() {
		return c.String(http.StatusServiceUnavailable, "draining\n")
	}
	if err := a.db.CheckReady(ctx); err != nil {
		slog.WarnContext(ctx, "health: check failed", "error", err)
		return c.String(http.StatusServiceUnavailable, "unavailable\n")
	}
	return c.String(http.StatusOK, "ok\n")
}

// checkpoint answers with the newest checkpoint of the log.
func (a *app) checkpoint(c echo.Context) error {
	head, err := a.log.PublishedHead(c.Request().Context())
	switch {
	case fault.Is(err, fault.NotFound):
		return c.String(http.StatusNotFound, "there is no checkpoint\n")
	case err != nil:
		slog.WarnContext(c.Request().Context(), "log: reading the checkpoint failed", "error", err)
		return c.String(http.StatusServiceUnavailable, "unavailable\n")
	}
	c.Response().Header().Set(echo.HeaderCacheControl, "public, max-age=1")
	return c.String(http.StatusOK, head)
}

// proof returns the portal's access to receipts with proofs; nil without a key for
// checkpoints.
func (a *app) proof() func(ctx context.Context, payment int64) ([]byte, error) {
	if a.config.CheckpointKeys() == nil {
		return nil
	}
	return func(ctx context.Context, payment int64) ([]byte, error) {
		r, err := a.log.Receipt(ctx, payment)
		if err != nil {
			return nil, err
		}
		return r.Encode()
	}
}

// sealed returns the portal's access to what the log proves of a payment; nil without a
// key for checkpoints.
func (a *app) sealed() func(ctx context.Context, id int64) (payment.Seal, error) {
	if a.config.CheckpointKeys() == nil {
		return nil
	}
	return func(ctx context.Context, id int64) (payment.Seal, error) {
		proved, err := a.log.Verified(ctx, id)
		if err != nil {
			return payment.Seal{}, err
		}
		return payment.Seal{State: stateOf(proved.State), Records: proved.Checkpoint.Size, At: proved.Checkpoint.At}, nil
	}
}

// stateOf returns the state of a payment that a receipt proves.
func stateOf(proved receipt.State) payment.State {
	if proved == receipt.Accepted {
		return payment.Processing
	}
	return payment.State(proved)
}
