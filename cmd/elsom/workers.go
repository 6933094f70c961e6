package main

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"elsom/internal/fault"
	"elsom/internal/notify/email"
	emailinbox "elsom/internal/notify/email/inbox"
	"elsom/internal/notify/email/smtp"
	"elsom/internal/notify/push/webpush"
	"elsom/internal/notify/sms"
	"elsom/internal/notify/sms/inbox"
	"elsom/internal/notify/sms/kannel"
	"elsom/internal/outbox"
	"elsom/web/session"
)

// startWorkers starts the workers of the outbox, and those that purge and watch.
func (a *app) startWorkers(ctx context.Context, workers *sync.WaitGroup, sessions *session.Sessions) error {
	workers.Go(func() { a.payments.Deliver(ctx) })
	workers.Go(func() { outbox.Work(ctx, a.db, a.notifier, a.lists.Worker()) })
	smsGateway, configured, err := a.smsGateway()
	if err != nil {
		return err
	}
	if configured {
		workers.Go(func() { sms.NewSender(a.db, a.sealer, smsGateway, a.smsOptions()).Run(ctx, a.notifier) })
	}
	mailServer, configured, err := a.emailGateway()
	if err != nil {
		return err
	}
	if configured {
		letters := email.Options{Sealer: a.letters, HTML: a.portal.LetterHTML, Receipt: a.portal.ReceiptLetter}
		workers.Go(func() { outbox.Work(ctx, a.db, a.notifier, email.NewWorker(a.db, mailServer, letters)) })
	}
	if a.push != nil {
		client, err := webpush.New(webpush.Options{Key: a.config.VAPIDKey.Reveal(), Subject: a.config.BaseURL})
		if err != nil {
			return err
		}
		workers.Go(func() { outbox.Work(ctx, a.db, a.notifier, a.push.Worker(client)) })
	}
	workers.Go(func() { a.log.Run(ctx) })
	workers.Go(func() {
		a.ledger.CountWallets(ctx, func(err error) { slog.WarnContext(ctx, "ledger: counting wallets failed", "error", err) })
	})
	workers.Go(func() { a.purgeExpired(ctx, sessions) })
	workers.Go(func() { a.ceilings.watch(ctx) })
	workers.Go(func() { a.security.Run(ctx) })
	workers.Go(func() { sessions.Run(ctx) })
	return nil
}

// smsOptions limits messages to a number unless ELSOM_RATE_LIMITS is off.
func (a *app) smsOptions() sms.Options {
	o := sms.Options{Dropped: func() { a.droppedNotices.Add(1) }}
	if a.config.RateLimits {
		o.DailyNotices = sms.DailyNotices
	}
	return o
}

// smsGateway returns the gateway that SMS are sent to, and whether one is
// configured: without one, messages stay queued.
func (a *app) smsGateway() (gateway sms.Gateway, configured bool, err error) {
	switch {
	case a.config.Development():
		return inbox.New(a.db), true, nil
	case a.config.SMSURL.Set():
		gateway, err = kannel.New(kannel.Options{URL: a.config.SMSURL.Reveal(), Receipts: a.config.SMSReceiptsURL.Reveal()})
		return gateway, true, err
	}
	slog.Warn("sms: ELSOM_SMS_URL is not set; messages stay queued")
	return nil, false, nil
}

// emailGateway returns the mail server, and whether one is configured.
func (a *app) emailGateway() (server email.Gateway, configured bool, err error) {
	switch {
	case a.config.Development():
		return emailinbox.New(a.db), true, nil
	case a.config.SMTPURL.Set():
		server, err = smtp.New(a.config.SMTPURL.Reveal(), a.db.Now)
		return server, true, err
	}
	return nil, false, nil
}

// purgeExpired deletes expired rows: USSD sessions every minute, since they hold
// what was typed, the rest every ten minutes.
func (a *app) purgeExpired(ctx context.Context, sessions *session.Sessions) {
	var both sync.WaitGroup
	defer both.Wait()
	both.Go(func() { purgeRepeatedly(ctx, time.Minute, purgeFuncs{"USSD sessions": a.ussdSessions.Purge}) })
	both.Go(func() { purgeRepeatedly(ctx, time.Hour, a.retained()) })
	purgeRepeatedly(ctx, 10*time.Minute, purgeFuncs{
		"drafts": a.payments.Purge, "transfer drafts": a.transfers.Purge, "codes": a.customers.Purge, "rate limits": a.counters.Purge, "sessions": sessions.Purge,
		"security log": a.security.Purge, "unsent SMS": a.messages.EndUnsent, "receipt links": a.links.Purge, "templates": a.templates.Purge, "payment lists": a.lists.Purge,
	})
}

// retained returns the purges of what is kept for a time that the operator sets.
func (a *app) retained() purgeFuncs {
	all, keep := purgeFuncs{}, a.config.Retention
	for what, purge := range map[string]struct {
		term   time.Duration
		before func(context.Context, time.Time) (int64, error)
	}{
		"messages": {keep.Messages, a.messages.Purge}, "closed wallets": {keep.Closed, a.customers.RemovePersonal},
		"SMS inbox": {keep.Inbox, inbox.New(a.db).Purge}, "e-mail inbox": {keep.Inbox, emailinbox.New(a.db).Purge},
	} {
		//mutant:drop TestRetentionJob
		if purge.term == 0 { // kept for good
			continue
		}
		all[what] = func(ctx context.Context) (int64, error) { return purge.before(ctx, a.db.Now().Add(-purge.term)) }
	}
	return all
}

type purgeFuncs map[string]func(context.Context) (int64, error)

func purgeRepeatedly(ctx context.Context, pause time.Duration, all purgeFuncs) {
	for {
		for what, purge := range all {
			if _, err := purge(ctx); err != nil && ctx.Err() == nil && !fault.Is(err, fault.Unavailable) {
				slog.WarnContext(ctx, "purge: failed", "what", what, "error", err)
			}
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return
		}
	}
}
