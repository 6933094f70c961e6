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

// The push services of the browsers that people have are known by themselves.
func TestKnownServices(t *testing.T) {
	db := databasetest.SQLite(t)
	h := &house{Subscriptions: notices(t, db, "key"), t: t, db: db}
	h.exec(`INSERT INTO customers (id, phone, email, lang, password_hash, blocked, session_epoch, level, created_at)
		VALUES (1, '+996700000001', '', 'ru', '', FALSE, 1, 'standard', ?)`, start)
	for _, endpoint := range []string{
		"https://fcm.googleapis.com/fcm/send/x", "https://updates.push.services.mozilla.com/wpush/v2/x", "https://web.push.apple.com/x",
		"https://WNS2-par02p.notify.windows.com/w/?token=x", "https://push.example.net/x",
	} {
		a := address(t, "x")
		a.Endpoint = endpoint
		if err := h.Subscribe(context.Background(), browserOf(aida, endpoint), a); err != nil {
			t.Errorf("%s: %v", endpoint, err)
		}
	}
}

func (h *house) exec(statement string, args ...any) {
	h.t.Helper()
	must(h.t, h.db.Gorm(context.Background()).Exec(statement, args...).Error)
}

// A service that the operator has withdrawn is called no more.
func TestServiceWithdrawn(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.allow(aida, "phone")
		h.tell(aida, "payment:7:completed")
		h.exec("UPDATE push_addresses SET endpoint = 'https://shop.example.net/hook'")
		if sent := h.work(); len(sent) != 0 || h.open() != 0 {
			t.Errorf("sent %d, %d open", len(sent), h.open())
		}
	})
}

// A call is broken off soon, and one that is under way keeps the browser's
// other words waiting, nobody else's.
func TestSlowServiceStopsNobody(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.allow(aida, "phone")
		h.allow(bakyt, "other")
		h.tell(aida, "payment:7:completed")
		h.tell(aida, "payment:8:completed")
		tasks := h.claim()
		h.slow = make(chan struct{})
		worker, done := h.Worker(h), make(chan struct{})
		go func() { worker.Do(context.Background(), tasks[0]); close(done) }()
		for h.calls() == 0 {
			time.Sleep(time.Millisecond)
		}
		h.mu.Lock()
		if left := time.Until(h.until); left > 5*time.Second {
			t.Errorf("a call may take %v", left)
		}
		h.mu.Unlock()
		second := make(chan struct{})
		go func() { worker.Do(context.Background(), tasks[1]); close(second) }()
		select {
		case <-second:
		case <-time.After(4 * time.Second):
			t.Error("the second word is called for beside the first")
		}
		if h.calls() != 1 || h.open() != 2 {
			t.Errorf("%d calls, %d open", h.calls(), h.open())
		}
		close(h.slow)
		<-done
		<-second
		h.answers(nil)
		h.slow = nil
		h.tell(bakyt, "payment:9:completed")
		h.due()
		if sent := h.work(); len(sent) != 2 || h.open() != 0 {
			t.Errorf("sent %d, %d open", len(sent), h.open())
		}
	})
}

func (h *house) claim() (tasks []outbox.LeasedMessage) {
	h.t.Helper()
	must(h.t, h.db.InTx(context.Background(), func(ctx context.Context, tx *database.Tx) (err error) {
		tasks, err = outbox.Acquire(ctx, tx, push.Queue, 100, time.Minute)
		return err
	}))
	return tasks
}

func (h *house) calls() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.sent)
}

// due ends all pauses.
func (h *house) due() {
	h.exec("UPDATE promises SET due_at = ? WHERE state = 'open'", start)
}

// A word is tried five times and then given up; the SMS has said it.
func TestFiveTries(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.allow(aida, "phone")
		h.answers(errors.New("away"))
		h.tell(aida, "payment:7:completed")
		for range 4 {
			h.due()
			h.work()
		}
		if h.calls() != 4 || h.open() != 1 {
			t.Errorf("after four: %d calls, %d open", h.calls(), h.open())
		}
		h.due()
		if h.work(); h.calls() != 5 || h.open() != 0 {
			t.Errorf("after five: %d calls, %d open", h.calls(), h.open())
		}
	})
}

// So many words wait for one browser, and not for another beside it.
func TestWordsThatWaitAreBounded(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.allow(aida, "phone")
		for i := range 8 {
			h.tell(aida, fmt.Sprintf("payment:%d:completed", i))
		}
		if h.open() != 5 {
			t.Errorf("%d wait", h.open())
		}
		h.allow(bakyt, "other")
		h.tell(bakyt, "payment:9:completed")
		if sent := h.work(); len(sent) != 6 {
			t.Errorf("%d were sent", len(sent))
		}
		h.tell(aida, "payment:10:completed")
		if h.open() != 1 {
			t.Error("kept promises are counted too")
		}
	})
}

func TestAllowingIsCounted(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		for range 20 {
			h.allow(aida, "phone")
		}
		if err := h.Subscribe(context.Background(), browserOf(aida, "phone"), address(t, "phone")); !fault.Is(err, fault.TooMany) {
			t.Errorf("once more: %v", err)
		}
		h.allow(bakyt, "other")
	})
}

// What was promised before the holder left is not told: by a logout or
// another's login there, by ending that session or all others, by a new
// password, or because the wallet was blocked.
func TestWhoLeftIsNotTold(t *testing.T) {
	ways := map[string]func(h *house, tx *database.Tx) error{
		"logout":        func(_ *house, tx *database.Tx) error { return push.RemoveBrowser(tx, "phone", 0) },
		"another login": func(_ *house, tx *database.Tx) error { return push.RemoveBrowser(tx, "phone", bakyt.ID) },
		"end":           func(_ *house, tx *database.Tx) error { return push.RemoveForCustomer(tx, aida.ID, "phone", false) },
		"end others":    func(_ *house, tx *database.Tx) error { return push.RemoveForCustomer(tx, aida.ID, "desk", true) },
		"password": func(_ *house, tx *database.Tx) error {
			return tx.Gorm().Exec("UPDATE customers SET session_epoch = 2 WHERE id = 1").Error
		},
		"blocked": func(_ *house, tx *database.Tx) error {
			return tx.Gorm().Exec("UPDATE customers SET blocked = TRUE WHERE id = 1").Error
		},
	}
	each(t, func(t *testing.T, h *house) {
		for name, leave := range ways {
			h.exec("UPDATE customers SET session_epoch = 1, blocked = FALSE")
			h.allow(aida, "phone")
			h.tell(aida, name)
			must(t, h.db.InTx(context.Background(), func(_ context.Context, tx *database.Tx) error { return leave(h, tx) }))
			if sent := h.work(); len(sent) != 0 || h.open() != 0 {
				t.Errorf("%s: sent %d, %d open", name, len(sent), h.open())
			}
			h.answers(nil)
		}
	})
}

// Who stays is told on; another's leaving is not theirs.
func TestWhoStaysIsTold(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		h.allow(aida, "phone")
		h.tell(aida, "payment:7:completed")
		must(t, h.db.InTx(context.Background(), func(_ context.Context, tx *database.Tx) error {
			return errors.Join(
				push.RemoveBrowser(tx, "phone", aida.ID), push.RemoveBrowser(tx, "desk", 0), push.RemoveForCustomer(tx, aida.ID, "phone", true),
				push.RemoveForCustomer(tx, aida.ID, "desk", false), push.RemoveForCustomer(tx, bakyt.ID, "phone", false), push.RemoveForCustomer(tx, bakyt.ID, "desk", true),
			)
		}))
		if sent := h.work(); len(sent) != 1 {
			t.Errorf("sent %d", len(sent))
		}
	})
}

// A session that ended while its browser was asking gets nothing.
func TestASessionThatEndedAllowsNothing(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		b := browserOf(aida, "phone")
		b.Signed = func(*database.Tx) (bool, error) { return false, nil }
		if err := h.Subscribe(context.Background(), b, address(t, "phone")); !fault.Is(err, fault.Forbidden) || len(h.names(aida)) != 0 {
			t.Errorf("%v, %d kept", err, len(h.names(aida)))
		}
	})
}
