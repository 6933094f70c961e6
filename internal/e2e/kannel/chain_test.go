package kannel_test

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/i18n"
	"elsom/internal/notify/sms"
	"elsom/internal/phone"
	"elsom/internal/testkit/system"
)

// chain is all that an SMS passes: a portal in production, a proxy before sendsms,
// Kannel and a message center.
type chain struct {
	*system.Site
	t       *testing.T // restarted programs are stopped at its end
	kannel  *kannel
	center  *smsCenter
	proxy   *proxy
	books   *database.DB
	metrics string
	secrets []string // texts that no log may contain
}

func newChain(t *testing.T) *chain {
	t.Helper()
	listen, metrics, centerAddress := system.FreeAddress(t), system.FreeAddress(t), system.FreeAddress(t)
	c := &chain{t: t, Site: &system.Site{Binary: "elsom", Database: "sqlite:" + filepath.Join(t.TempDir(), "elsom.db")}, metrics: metrics}
	c.BaseURL = "http://" + listen
	c.kannel = newKannel(t, listen, portOf(centerAddress))
	c.proxy = newProxy(t, c.kannel.sendsms)
	c.Env = []string{
		system.SecretKey, system.PINPepper, "ELSOM_LISTEN=" + listen, "ELSOM_METRICS_LISTEN=" + metrics, "ELSOM_DATABASE_URL=" + c.Database,
		"ELSOM_SMS_URL=http://elsom:" + sendsmsPassword + "@" + c.proxy.address + "/cgi-bin/sendsms?from=ELSOM",
		"ELSOM_SMS_RECEIPTS_URL=http://kannel:" + gatewayPassword + "@" + listen + "/sms/dlr",
	}
	if out := system.Run(t, c.Env, "migrate"); out.Code != 0 {
		t.Fatal(out.Stderr)
	}
	for code, g := range map[string]struct{ scope, password string }{
		"kannel": {"receipts", gatewayPassword}, "kannel-ussd": {"ussd,kannel", dialogPassword},
	} {
		if out := system.RunInput(t, c.Env, g.password+"\n", "gateway", "add", code, "--scope", g.scope, "--allow", "127.0.0.1"); out.Code != 0 {
			t.Fatal(out.Stderr)
		}
	}
	c.secrets = []string{gatewayPassword, dialogPassword, sendsmsPassword, centerPassword}
	c.books = databasetest.Reopen(t, c.Database)
	c.Site.Start(t)
	c.center = newSMSCenter(t, portOf(centerAddress), centerPassword)
	c.kannel.open(t)
	c.waitBound(0)
	return c
}

// waitBound waits until both of Kannel's SMPP connections are bound.
func (c *chain) waitBound(before int) {
	for _, name := range []string{"elsom", "ussd"} {
		c.center.waitEvent(before, "that "+name+" is bound", func(e event) bool { return e.Event == "bound" && e.To == name })
	}
}

// testMessage is a message that a test has queued.
type testMessage struct{ key, phone, text string }

var queuedCount int

// queueSMS queues a message in a language, with an amount of its own.
func (c *chain) queueSMS(t *testing.T, lang i18n.Lang) testMessage {
	t.Helper()
	queuedCount++
	mark := fmt.Sprintf("%d,07", 40_000+queuedCount)
	s := testMessage{key: fmt.Sprint("test:", queuedCount), phone: fmt.Sprintf("+996700%06d", 200_000+queuedCount)}
	args := i18n.Args{"Code": "123456789012", "Service": "Ңөү Өмүр", "Account": "00207199610017", "Amount": mark}
	s.text = strings.ReplaceAll(lang.T("sms.payment_completed", args), "\u00a0", " ")
	c.secrets = append(c.secrets, mark, s.phone[4:])
	err := c.books.InTx(t.Context(), func(ctx context.Context, tx *database.Tx) error {
		return sms.Add(ctx, tx, sms.OutboxMessage(s.key, sms.Message{
			Phone: phone.Number(s.phone), Lang: string(lang), Key: "sms.payment_completed", Args: args,
		}))
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// state returns the state of an SMS and how often it was repeated.
func (c *chain) state(t *testing.T, key string) (state string, repeats int) {
	t.Helper()
	err := c.books.Pool().QueryRow("SELECT state, repeats FROM messages WHERE key = $1", key).Scan(&state, &repeats)
	if err != nil {
		t.Fatal(err)
	}
	return state, repeats
}

// waitState waits until an SMS has this state.
func (c *chain) waitState(t *testing.T, key, state string) {
	t.Helper()
	var is string
	for begin := time.Now(); time.Since(begin) < 30*time.Second; time.Sleep(20 * time.Millisecond) {
		if is, _ = c.state(t, key); is == state {
			return
		}
	}
	t.Fatalf("%s is %s, want %s", key, is, state)
}

// skipPauses makes all waiting messages due.
func (c *chain) skipPauses(t *testing.T) {
	t.Helper()
	now := c.books.Now()
	for _, statement := range []string{
		"UPDATE messages SET asked_at = $1 WHERE asked_by <> 0", "UPDATE messages SET due_at = $1 WHERE state = 'queued'",
	} {
		if _, err := c.books.Pool().Exec(statement, database.StoredTime(now.Add(-2*time.Minute))); err != nil {
			t.Fatal(err)
		}
	}
}
