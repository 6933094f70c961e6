package web_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"elsom/internal/credential"
	"elsom/internal/customer"
	"elsom/internal/database/databasetest"
	"elsom/internal/fault"
	"elsom/internal/notify/sms"
	"elsom/internal/securitylog"
	"elsom/internal/signature"
	"elsom/internal/testkit/require"
	"elsom/web"
	receipts "elsom/web/smsreceipt"
)

// A row of sessions that the serving role writes by hand for a token of its own is no
// session; the attempt is in the security log.
func TestForgedSessionIsNone(t *testing.T) {
	onDatabases(t, func(t *testing.T, app *testApp) {
		victim := app.newCustomer(1000_00)
		attacker := app.browserOf(app.newCustomer(500_00)).draft(company, "100")
		app.exec("UPDATE sessions SET customer_id = $1, known = TRUE", victim.ID)
		attacker.press("Оплатить").wantPath("/")
		attacker.open("/cabinet").wantPath("/")

		b := app.browserOf(victim)
		app.exec("UPDATE sessions SET mac = NULL")
		b.open("/cabinet").wantPath("/")
		b.logIn(victim.Phone, password)
		b.wantPath("/cabinet").draft(company, "100").press("Оплатить").wantPaid()
		app.wantBalance(victim, 900_00)
		app.wantAudit()
		all := app.events(securitylog.Query{Event: securitylog.Session, Wallet: victim.ID})
		app.wantEvent("session refused forged", all)
		app.wantEvent("session refused unsigned", all)
		if len(logged.lines("WARN", "session: refused a session that this server did not make", "forged")) == 0 {
			t.Error("the forged session is not logged")
		}
	})
}

// resign signs the logins of customers as they are, after a test set their columns.
func (app *testApp) resign() { databasetest.Resign(app.t, app.DB, signature.Login) }

// A browser is not made known by the serving role: neither by its mark nor by the row of
// a browser that is known to another wallet.
func TestForgedKnownBrowser(t *testing.T) {
	onDatabases(t, func(t *testing.T, app *testApp) {
		victim := app.newCustomer(1000_00)
		b := app.browserOf(app.newCustomer(0))
		b.press("Выйти")
		b.logIn(victim.Phone, password)
		app.exec("UPDATE familiar_addresses SET known = TRUE, customer_id = $1", victim.ID)
		b.press("Выйти")
		b.logIn(victim.Phone, password)
		b.draft(company, "100").press("Оплатить")
		b.wantConfirmation("code")
		app.wantBalance(victim, 1000_00)
	})
}

// A draft that the serving role marks as confirmed is not: neither by hand, nor by the
// confirmation of another draft or session, nor after its payee or sum was changed.
func TestForgedConfirmations(t *testing.T) {
	onDatabases(t, func(t *testing.T, app *testApp) {
		ctx, from := context.Background(), customer.Origin{Address: "192.0.2.7"}
		holder, to := app.newCustomer(90_000_00), app.newCustomer(0)
		b, other := app.browserOf(holder), app.browserOf(holder)
		var keys []string
		require.NoError(t, app.DB.Gorm(ctx).Raw("SELECT CAST(handle AS VARCHAR(64)) FROM sessions ORDER BY created_at").Scan(&keys).Error)
		signedIn := holder
		signedIn.Browser = customer.Browser{Session: keys[0], Known: true}
		refused := func(what, check string, b *browser) {
			t.Helper()
			app.advance(2 * time.Minute)
			b.open(check).press("Оплатить")
			// A draft whose code was used gets no other one: its check page is shown again.
			if b.at.Path != check && b.at.Path != check+"/confirm" {
				t.Errorf("%s: at %s", what, b.at)
			}
			app.wantBalance(holder, 90_000_00)
		}
		changed := func(what, check string) {
			t.Helper()
			if b.open(check); b.status != http.StatusServiceUnavailable {
				t.Errorf("%s: %d at %s", what, b.status, b.at)
			}
			app.wantBalance(holder, 90_000_00)
		}
		other.draft(company, "7000")
		second := other.at.Path
		first, id := b.draft(company, "6000").at.Path, int64(app.count("SELECT MAX(id) FROM drafts"))
		app.exec("UPDATE drafts SET confirmed_by = $1", keys[0])
		refused("by hand", first, b)
		require.NoError(t, app.Payments.Confirm(ctx, signedIn, id, customer.Proof{Code: app.code(holder.Phone)}, from))
		app.exec("UPDATE drafts SET confirmed_by = (SELECT confirmed_by FROM drafts WHERE id = $1)", id)
		refused("another draft", second, b)
		refused("another session", first, other)
		databasetest.Tamper(t, app.DB, "UPDATE drafts SET identifier = '02071996100999' WHERE id = ?", id)
		changed("another payee", first)
		databasetest.TamperAll(t, app.DB, "UPDATE drafts SET identifier = '"+company+"', amount = amount + 1")
		changed("another sum", first)
		databasetest.TamperAll(t, app.DB, "UPDATE drafts SET amount = amount - 1")
		b.open(first).press("Оплатить").wantPaid()

		transfer := b.sending(to, "6000").at.Path
		app.exec("UPDATE wallet_transfer_drafts SET confirmed_by = $1", keys[0])
		b.open(transfer).press("Перевести 6")
		b.wantConfirmation("code")
		app.wantBalance(holder, 84_000_00)
		app.wantAudit()
	})
}

// A password hash that the serving role puts in, or moves from another customer, is
// refused, as is one without a signature. The right one is accepted again once the row is
// as it was.
func TestForgedPassword(t *testing.T) {
	onDatabases(t, func(t *testing.T, app *testApp) {
		victim, own := app.newCustomer(1000_00), app.newCustomer(0)
		require.NoError(t, app.Customers.SetPIN(context.Background(), own, password, ownPIN))
		b := app.browserOf(own)
		_, err := app.Customers.ChangePassword(context.Background(), own.ID, password, renewed)
		require.NoError(t, err)
		for name, set := range map[string]string{
			"another hash":   "password_hash = (SELECT password_hash FROM customers WHERE id = $1)",
			"another's row":  "password_hash = (SELECT password_hash FROM customers WHERE id = $1), login_mac = (SELECT login_mac FROM customers WHERE id = $1), login_key_id = (SELECT login_key_id FROM customers WHERE id = $1)",
			"no signature":   "password_hash = (SELECT password_hash FROM customers WHERE id = $1), login_mac = NULL, login_key_id = ''",
			"money not sent": "spent_day = 1 + 0 * CAST($1 AS BIGINT)",
			"no hold":        "hold_until = created_at, reset_at = (SELECT created_at FROM customers WHERE id = $1)",
		} {
			before := app.customerRow(victim.ID)
			app.exec("UPDATE customers SET "+set+" WHERE id = $2", own.ID, victim.ID)
			stranger := app.browser()
			stranger.open("/")
			word := password
			if strings.Contains(set, "password_hash") {
				word = renewed
			}
			stranger.logIn(victim.Phone, word)
			if stranger.status != http.StatusServiceUnavailable {
				t.Errorf("%s: %d at %s", name, stranger.status, stranger.at)
			}
			before.restore(app)
		}
		app.strangeBrowserOf(victim)
		// Without its has_pin a wallet would be confirmed by an SMS code.
		app.exec("UPDATE customers SET has_pin = FALSE WHERE id = $1", own.ID)
		b.open("/")
		b.logIn(own.Phone, renewed)
		if b.status != http.StatusServiceUnavailable {
			t.Errorf("a wallet without its PIN: %d at %s", b.status, b.at)
		}
		_, err = app.Customers.ChangePassword(context.Background(), own.ID, renewed, password)
		if !fault.Is(err, fault.Unavailable) {
			t.Errorf("a password is changed of a forged row: %v", err)
		}
		app.wantBalance(victim, 1000_00)
	})
}

// loginRow has the columns of a customer that the login's signature covers.
type loginRow struct {
	ID                       int64
	PasswordHash, LoginKeyID string
	LoginMAC                 []byte
	HoldUntil, ResetAt       *time.Time
	SpentDay                 int64
}

func (app *testApp) customerRow(id int64) (r loginRow) {
	app.t.Helper()
	r.ID = id
	require.NoError(app.t, app.DB.Pool().QueryRowContext(context.Background(), "SELECT password_hash, login_key_id, login_mac, hold_until, reset_at, spent_day FROM customers WHERE id = $1", id).
		Scan(&r.PasswordHash, &r.LoginKeyID, &r.LoginMAC, &r.HoldUntil, &r.ResetAt, &r.SpentDay))
	return r
}

func (r loginRow) restore(app *testApp) {
	app.t.Helper()
	app.exec("UPDATE customers SET password_hash = $1, hold_until = $2, reset_at = $3, spent_day = $4 WHERE id = $5", r.PasswordHash, r.HoldUntil, r.ResetAt, r.SpentDay, r.ID)
	app.exec("UPDATE customers SET login_mac = $1, login_key_id = $2 WHERE id = $3", r.LoginMAC, r.LoginKeyID, r.ID)
}

// A PIN's row that is moved to another customer confirms nothing there, and a wallet whose
// PIN was taken away isn't confirmed by an SMS code.
func TestForgedPIN(t *testing.T) {
	onDatabases(t, func(t *testing.T, app *testApp) {
		ctx := context.Background()
		victim, own := app.newCustomer(20_000_00), app.newCustomer(0)
		require.NoError(t, app.Customers.SetPIN(ctx, victim, password, ownPIN))
		require.NoError(t, app.Customers.SetPIN(ctx, own, password, "5938"))
		b := app.browserOf(victim).draft(company, "6000").press("Оплатить")
		b.wantConfirmation("pin")
		app.exec("UPDATE pins SET pin_hash = (SELECT pin_hash FROM pins WHERE customer_id = $1) WHERE customer_id = $2", own.ID, victim.ID)
		b.fill("pin", "5938").press("Подтвердить").wantStatus(http.StatusUnprocessableEntity)
		app.exec("DELETE FROM pins WHERE customer_id = $1", victim.ID)
		app.exec("UPDATE customers SET has_pin = FALSE WHERE id = $1", victim.ID)
		b.draft(company, "6000").press("Оплатить")
		if app.codesSent(victim) > 0 {
			b.fill("code", app.code(victim.Phone)).press("Подтвердить")
		}
		if b.status != http.StatusServiceUnavailable {
			t.Errorf("%d at %s", b.status, b.at)
		}
		app.wantBalance(victim, 20_000_00)
	})
}

// A gateway that the serving role inserts or changes is refused, without a final answer.
func TestForgedGateways(t *testing.T) {
	onDatabases(t, func(t *testing.T, app *testApp) {
		ctx, word := context.Background(), "the gateway's word"
		for _, code := range []string{"kannel", "other"} {
			require.NoError(t, app.Gateways.Add(ctx, credential.NewGateway{
				Code: code, Name: code, Password: word + code, Allowed: credential.Anywhere(), Scopes: []credential.Scope{credential.USSD},
			}))
		}
		handlers := app.handlers
		handlers.Receipts = receipts.New(app.Gateways, sms.NewMessages(app.DB, app.Sealer))
		server := web.New(handlers)
		ask := func(code, password string) int {
			r := httptest.NewRequest(http.MethodGet, "/sms/dlr?type=1&token=x", nil)
			r.SetBasicAuth(code, password)
			w := httptest.NewRecorder()
			server.ServeHTTP(w, r)
			return w.Code
		}
		if status := ask("kannel", word+"kannel"); status != http.StatusForbidden {
			t.Fatalf("without the scope: %d", status)
		}
		for name, statement := range map[string]string{
			"scopes":       "UPDATE gateways SET scopes = 'receipts' WHERE code = 'kannel'",
			"password":     "UPDATE gateways SET scopes = 'receipts', password_hash = (SELECT password_hash FROM gateways WHERE code = 'other') WHERE code = 'kannel'",
			"no signature": "UPDATE gateways SET scopes = 'receipts', mac = NULL, key_id = '' WHERE code = 'kannel'",
			"inserted": `INSERT INTO gateways (id, code, name, password_hash, allowed, disabled, created_at, scopes, inputs, mac, key_id)
				SELECT 7, 'evil', name, password_hash, allowed, disabled, created_at, 'receipts', inputs, mac, key_id FROM gateways WHERE code = 'other'`,
		} {
			app.exec(statement)
			code, password := "kannel", word+"kannel"
			switch name {
			case "password":
				password = word + "other"
			case "inserted":
				code, password = "evil", word+"other"
			}
			app.advance(2 * time.Second) // rows are cached for one
			if status := ask(code, password); status != http.StatusServiceUnavailable {
				t.Errorf("%s: %d", name, status)
			}
		}
		// New values for all signed columns put it right.
		name, fresh, allowed := "Kannel", word+" again", credential.Anywhere()
		require.NoError(t, app.Gateways.Change(ctx, "kannel", credential.GatewayChange{
			Change: credential.Change{Name: &name, Password: &fresh, Allowed: &allowed}, Scopes: []credential.Scope{credential.Receipts}, Inputs: credential.AllInputs,
		}))
		if status := ask("kannel", fresh); status != http.StatusNotFound {
			t.Errorf("put right: %d", status)
		}
	})
}
