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
	"elsom/internal/outbox"
	"elsom/internal/phone"
	"elsom/internal/testkit/system"
)

// chain is the whole way of an SMS: a portal in production, Kannel, a message
// centre; with a wiretap at sendsms.
type chain struct {
	*system.Site
	t       *testing.T // what is opened again ends with this one
	kannel  *kannel
	centre  *centre
	wire    *wiretap
	books   *database.DB
	metrics string
	secrets []string // what no log may hold
}

func newChain(t *testing.T) *chain {
	t.Helper()
	listen, metrics, centreAt := system.FreeAddress(t), system.FreeAddress(t), system.FreeAddress(t)
	c := &chain{t: t, Site: &system.Site{Binary: "elsom", Database: "sqlite:" + filepath.Join(t.TempDir(), "elsom.db")}, metrics: metrics}
	c.BaseURL = "http://" + listen
	c.kannel = newKannel(t, listen, portOf(centreAt))
	c.wire = newWiretap(t, c.kannel.sendsms)
	c.Env = []string{
		system.SecretKey, system.PINPepper, "ELSOM_LISTEN=" + listen, "ELSOM_METRICS_LISTEN=" + metrics, "ELSOM_DATABASE_URL=" + c.Database,
		"ELSOM_SMS_URL=http://elsom:" + sendsmsPassword + "@" + c.wire.address + "/cgi-bin/sendsms?from=ELSOM",
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
	c.secrets = []string{gatewayPassword, dialogPassword, sendsmsPassword, centrePassword}
	c.books = databasetest.Reopen(t, c.Database)
	c.Site.Start(t)
	c.centre = newCentre(t, portOf(centreAt), centrePassword)
	c.kannel.open(t)
	c.bound(0)
	return c
}

// bound waits until Kannel has both of its links.
func (c *chain) bound(before int) {
	for _, name := range []string{"elsom", "ussd"} {
		c.centre.wait(before, "for "+name, func(e event) bool { return e.Event == "bound" && e.To == name })
	}
}

// sent is a message that a test promised.
type sent struct{ key, phone, text string }

var promised int

// promise makes a message about a sum due, in a language; the sum is its mark.
func (c *chain) promise(t *testing.T, lang i18n.Lang) sent {
	t.Helper()
	promised++
	mark := fmt.Sprintf("%d,07", 40_000+promised)
	s := sent{key: fmt.Sprint("test:", promised), phone: fmt.Sprintf("+996700%06d", 200_000+promised)}
	args := i18n.Args{"Code": "123456789012", "Service": "Ңөү Өмүр", "Account": "00207199610017", "Amount": mark}
	s.text = strings.ReplaceAll(lang.T("sms.payment_completed", args), "\u00a0", " ")
	c.secrets = append(c.secrets, mark, s.phone[4:])
	err := c.books.InTx(t.Context(), func(ctx context.Context, tx *database.Tx) error {
		return outbox.Add(ctx, tx, sms.OutboxMessage(s.key, sms.Message{
			Phone: phone.Number(s.phone), Lang: string(lang), Key: "sms.payment_completed", Args: args,
		}))
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// state tells how a message and its promise stand; empty: not taken up yet.
func (c *chain) state(t *testing.T, key string) (state, promise string, repeats int) {
	t.Helper()
	err := c.books.Pool().QueryRow(`SELECT COALESCE((SELECT state FROM messages WHERE key = p.key), ''), state,
		COALESCE((SELECT repeats FROM messages WHERE key = p.key), 0) FROM promises p WHERE lane IN ('sms', 'sms_codes') AND key = $1`, key).
		Scan(&state, &promise, &repeats)
	if err != nil {
		t.Fatal(err)
	}
	return state, promise, repeats
}

// comes waits until a message stands so.
func (c *chain) comes(t *testing.T, key, state, promise string) {
	t.Helper()
	var is, promised string
	for begin := time.Now(); time.Since(begin) < 30*time.Second; time.Sleep(20 * time.Millisecond) {
		if is, promised, _ = c.state(t, key); is == state && promised == promise {
			return
		}
	}
	t.Fatalf("%s is %s, its promise %s; want %s, %s", key, is, promised, state, promise)
}

// later lets the pauses of the lane and the two minutes go by.
func (c *chain) later(t *testing.T) {
	t.Helper()
	now := c.books.Now()
	for _, statement := range []string{
		"UPDATE messages SET asked_at = $1 WHERE asked_by <> 0", "UPDATE promises SET due_at = $1 WHERE state = 'open' AND lane IN ('sms', 'sms_codes') AND lease = 0",
	} {
		if _, err := c.books.Pool().Exec(statement, database.StoredTime(now.Add(-2*time.Minute))); err != nil {
			t.Fatal(err)
		}
	}
}
