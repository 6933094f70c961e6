package web_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"elsom/internal/credential"
	"elsom/internal/customer"
	"elsom/internal/phone"
	"elsom/internal/ratelimit"
	"elsom/internal/testkit/require"
	"elsom/internal/ussdsession"
	"elsom/internal/wallet"
	"elsom/web"
	"elsom/web/ussd"
)

// A gateway with many wrong PINs is slowed down and logged; other gateways are not.
func TestGatewayWithManyWrongPINsIsSlowedDown(t *testing.T) {
	t.Parallel()
	for name, newDB := range databases {
		t.Run(name, func(t *testing.T) {
			ctx, secret := context.Background(), []byte("a secret of thirty-two bytes or more")
			app := newAppWith(t, options{newDB: newDB})
			attempts, err := ratelimit.New(app.DB, ratelimit.Options{Secret: secret, Off: true}) // wrong PINs are always counted
			require.NoError(t, err)
			gateways, err := credential.NewGateways(app.DB, attempts, secret)
			require.NoError(t, err)
			bad, good := "bad-"+name, "good-"+name
			for _, code := range []string{bad, good} {
				require.NoError(t, gateways.Add(ctx, credential.NewGateway{
					Code: code, Name: code, Password: "the gateway's word", Allowed: credential.Anywhere(), Scopes: credential.Scopes(),
				}))
			}
			dialogues, err := ussdsession.New[ussd.Content](app.DB, ussdsession.Options{Secret: secret, Pepper: secret})
			require.NoError(t, err)
			handlers := app.handlers
			parts := ussd.Parts{Sessions: dialogues, Customers: app.Customers, Catalog: app.Catalog, Payments: app.Payments, Wallets: wallet.New(app.Ledger)}
			parts.Gateways, parts.Limits, parts.Now = gateways, attempts, app.DB.Now
			handlers.USSD = ussd.New(parts, slog.Default())
			server := web.New(handlers)
			phones, pins := app.dialedBy(12)
			for range 199 {
				require.NoError(t, attempts.Take(ctx, ratelimit.Rule{Name: "wrong PINs by gateway", Limit: 200, Window: 10 * time.Minute, Always: true}, bad))
			}
			for _, session := range []string{"1", "2"} { // the 200th and one more
				if screen := balance(server, bad, session, phones[0], another(pins[0])); !strings.Contains(screen, "Неверный ПИН") {
					t.Errorf("a wrong PIN: %s", screen)
				}
			}
			if n := handlers.USSD.WrongPINs()[bad]; n != 2 {
				t.Errorf("%d wrong PINs counted", n)
			}
			if lines := logged.lines("many wrong PINs", bad); len(lines) != 1 {
				t.Errorf("%d lines: %q", len(lines), lines)
			}
			ask := func(code string) (told, busy int) {
				var mu sync.Mutex
				var all sync.WaitGroup
				for i := range phones {
					all.Go(func() {
						screen := balance(server, code, fmt.Sprint("many ", app.numbers.Add(1)), phones[i], pins[i])
						mu.Lock()
						defer mu.Unlock()
						if strings.Contains(screen, "0,00") {
							told++
						} else {
							busy++
							if strings.Contains(screen, "END") {
								t.Errorf("a session ended: %s", screen)
							}
						}
					})
				}
				all.Wait()
				return told, busy
			}
			if told, busy := ask(bad); told == 0 || busy == 0 {
				t.Errorf("slowed down: %d right PINs opened the balance, %d had to wait", told, busy)
			}
			if told, busy := ask(good); busy != 0 {
				t.Errorf("the other gateway: %d right PINs opened the balance, %d had to wait", told, busy)
			}
			app.advance(11 * time.Minute)
			if told, busy := ask(bad); busy != 0 {
				t.Errorf("later: %d right PINs opened the balance, %d had to wait", told, busy)
			}
		})
	}
}

// dialedBy registers n callers of *900# and returns their numbers and PINs.
func (app *testApp) dialedBy(n int) (phones []phone.Number, pins []string) {
	app.t.Helper()
	for i := range n {
		number := phone.Number(fmt.Sprintf("+9965507001%02d", i))
		_, err := app.Customers.RegisterByUSSD(context.Background(), customer.USSDSignup{
			Phone: number, Name: "Айжан Үсөнова", INN: "21603198500123", Lang: "ru", OfferVersion: customer.OfferVersion, Gateway: "ussd",
		})
		require.NoError(app.t, err)
		phones, pins = append(phones, number), append(pins, four.FindString(app.messages(number)[0]))
	}
	return phones, pins
}

// balance requests a balance by *900# through a gateway and returns the screen after
// the PIN.
func balance(server http.Handler, gateway, session string, number phone.Number, pin string) (screen string) {
	for _, text := range []string{"", "8", "8*1", "8*1*" + pin} {
		form := url.Values{"sessionId": {session}, "serviceCode": {ussd.ServiceCode}, "phoneNumber": {number.String()}, "text": {text}}
		r := httptest.NewRequest(http.MethodPost, "/ussd", strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.SetBasicAuth(gateway, "the gateway's word")
		w := httptest.NewRecorder()
		server.ServeHTTP(w, r)
		screen = w.Body.String()
	}
	return screen
}
