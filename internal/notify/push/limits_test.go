package push_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/fault"
	"elsom/internal/notify/push"
	"elsom/internal/outbox"
)

// The push services of common browsers need no configuration.
func TestKnownServices(t *testing.T) {
	db := databasetest.SQLite(t)
	f := &fixture{Subscriptions: newSubscriptions(t, db, "key"), t: t, db: db}
	f.exec(`INSERT INTO customers (id, phone, email, lang, password_hash, blocked, session_epoch, level, created_at)
		VALUES (1, '+996700000001', '', 'ru', '', FALSE, 1, 'standard', ?)`, start)
	for _, endpoint := range []string{
		"https://fcm.googleapis.com/fcm/send/x", "https://updates.push.services.mozilla.com/wpush/v2/x", "https://web.push.apple.com/x",
		"https://WNS2-par02p.notify.windows.com/w/?token=x", "https://push.example.net/x",
	} {
		a := newSubscription(t, "x")
		a.Endpoint = endpoint
		if err := f.Subscribe(context.Background(), browserOf(aida, endpoint), a); err != nil {
			t.Errorf("%s: %v", endpoint, err)
		}
	}
}

func (f *fixture) exec(statement string, args ...any) {
	f.t.Helper()
	must(f.t, f.db.Gorm(context.Background()).Exec(statement, args...).Error)
}

// A service that the operator removed from the configuration is not called.
func TestRemovedServiceIsNotCalled(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.subscribe(aida, "phone")
		f.add(aida, "payment:7:completed")
		f.exec("UPDATE push_addresses SET endpoint = 'https://shop.example.net/hook'")
		if sent := f.deliver(); len(sent) != 0 || f.countOpen() != 0 {
			t.Errorf("sent %d, %d open", len(sent), f.countOpen())
		}
	})
}

// A call has a short deadline. While it runs, other notifications for the browser wait;
// those for other browsers are sent.
func TestSlowServiceDelaysOnlyItsBrowser(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.subscribe(aida, "phone")
		f.subscribe(bakyt, "other")
		f.add(aida, "payment:7:completed")
		f.add(aida, "payment:8:completed")
		leased := f.acquire()
		f.slow = make(chan struct{})
		worker, done := f.Worker(f), make(chan struct{})
		go func() { worker.Do(context.Background(), leased[0]); close(done) }()
		for f.countCalls() == 0 {
			time.Sleep(time.Millisecond)
		}
		f.mu.Lock()
		if left := time.Until(f.deadline); left > 5*time.Second {
			t.Errorf("the deadline is in %v", left)
		}
		f.mu.Unlock()
		second := make(chan struct{})
		go func() { worker.Do(context.Background(), leased[1]); close(second) }()
		select {
		case <-second:
		case <-time.After(4 * time.Second):
			t.Error("the second notification of a browser waits for the first")
		}
		if f.countCalls() != 1 || f.countOpen() != 2 {
			t.Errorf("%d calls, %d open", f.countCalls(), f.countOpen())
		}
		close(f.slow)
		<-done
		<-second
		f.setResponse(nil)
		f.slow = nil
		f.add(bakyt, "payment:9:completed")
		f.makeDue()
		if sent := f.deliver(); len(sent) != 2 || f.countOpen() != 0 {
			t.Errorf("sent %d, %d open", len(sent), f.countOpen())
		}
	})
}

func (f *fixture) acquire() (leased []outbox.LeasedMessage) {
	f.t.Helper()
	must(f.t, f.db.InTx(context.Background(), func(ctx context.Context, tx *database.Tx) (err error) {
		leased, err = outbox.Acquire(ctx, tx, push.Queue, 100, time.Minute)
		return err
	}))
	return leased
}

func (f *fixture) countCalls() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.sent)
}

// makeDue makes all open messages due.
func (f *fixture) makeDue() {
	f.exec("UPDATE promises SET due_at = ? WHERE state = 'open'", start)
}

// The SMS has informed the customer already.
func TestNotificationIsTriedFiveTimes(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.subscribe(aida, "phone")
		f.setResponse(errors.New("unavailable"))
		f.add(aida, "payment:7:completed")
		for range 4 {
			f.makeDue()
			f.deliver()
		}
		if f.countCalls() != 4 || f.countOpen() != 1 {
			t.Errorf("after four: %d calls, %d open", f.countCalls(), f.countOpen())
		}
		f.makeDue()
		if f.deliver(); f.countCalls() != 5 || f.countOpen() != 0 {
			t.Errorf("after five: %d calls, %d open", f.countCalls(), f.countOpen())
		}
	})
}

// At most five notifications wait for one browser.
func TestQueuedNotificationsAreLimited(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.subscribe(aida, "phone")
		for i := range 8 {
			f.add(aida, fmt.Sprintf("payment:%d:completed", i))
		}
		if f.countOpen() != 5 {
			t.Errorf("%d open", f.countOpen())
		}
		f.subscribe(bakyt, "other")
		f.add(bakyt, "payment:9:completed")
		if sent := f.deliver(); len(sent) != 6 {
			t.Errorf("%d were sent", len(sent))
		}
		f.add(aida, "payment:10:completed")
		if f.countOpen() != 1 {
			t.Error("done messages are counted too")
		}
	})
}

func TestSubscribingIsRateLimited(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		for range 20 {
			f.subscribe(aida, "phone")
		}
		if err := f.Subscribe(context.Background(), browserOf(aida, "phone"), newSubscription(t, "phone")); !fault.Is(err, fault.TooMany) {
			t.Errorf("subscription 21: %v", err)
		}
		f.subscribe(bakyt, "other")
	})
}

// A message that was added earlier is not sent after a logout, after the login of
// another customer in the browser, after its session was ended, after a change of the
// password and while the wallet is blocked.
func TestEndedSubscriptionIsNotNotified(t *testing.T) {
	cases := map[string]func(f *fixture, tx *database.Tx) error{
		"logout":               func(_ *fixture, tx *database.Tx) error { return push.RemoveBrowser(tx, "phone", 0) },
		"login of another":     func(_ *fixture, tx *database.Tx) error { return push.RemoveBrowser(tx, "phone", bakyt.ID) },
		"session ended":        func(_ *fixture, tx *database.Tx) error { return push.RemoveForCustomer(tx, aida.ID, "phone", false) },
		"other sessions ended": func(_ *fixture, tx *database.Tx) error { return push.RemoveForCustomer(tx, aida.ID, "laptop", true) },
		"password changed": func(_ *fixture, tx *database.Tx) error {
			return tx.Gorm().Exec("UPDATE customers SET session_epoch = 2 WHERE id = 1").Error
		},
		"blocked": func(_ *fixture, tx *database.Tx) error {
			return tx.Gorm().Exec("UPDATE customers SET blocked = TRUE WHERE id = 1").Error
		},
	}
	each(t, func(t *testing.T, f *fixture) {
		for name, end := range cases {
			f.exec("UPDATE customers SET session_epoch = 1, blocked = FALSE")
			f.subscribe(aida, "phone")
			f.add(aida, name)
			must(t, f.db.InTx(context.Background(), func(_ context.Context, tx *database.Tx) error { return end(f, tx) }))
			if sent := f.deliver(); len(sent) != 0 || f.countOpen() != 0 {
				t.Errorf("%s: sent %d, %d open", name, len(sent), f.countOpen())
			}
			f.setResponse(nil)
		}
	})
}

// Ending other sessions and those of other customers does not end a subscription.
func TestOtherSubscriptionsStay(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.subscribe(aida, "phone")
		f.add(aida, "payment:7:completed")
		must(t, f.db.InTx(context.Background(), func(_ context.Context, tx *database.Tx) error {
			return errors.Join(
				push.RemoveBrowser(tx, "phone", aida.ID), push.RemoveBrowser(tx, "laptop", 0), push.RemoveForCustomer(tx, aida.ID, "phone", true),
				push.RemoveForCustomer(tx, aida.ID, "laptop", false), push.RemoveForCustomer(tx, bakyt.ID, "phone", false), push.RemoveForCustomer(tx, bakyt.ID, "laptop", true),
			)
		}))
		if sent := f.deliver(); len(sent) != 1 {
			t.Errorf("sent %d", len(sent))
		}
	})
}

// The session may end while its browser is subscribing.
func TestEndedSessionCannotSubscribe(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		b := browserOf(aida, "phone")
		b.SignedIn = func(*database.Tx) (bool, error) { return false, nil }
		if err := f.Subscribe(context.Background(), b, newSubscription(t, "phone")); !fault.Is(err, fault.Forbidden) || len(f.deviceIDs(aida)) != 0 {
			t.Errorf("%v, %d subscriptions", err, len(f.deviceIDs(aida)))
		}
	})
}
