package e2e_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"

	"elsom/internal/database/databasetest"
	"elsom/internal/testkit/system"
)

// «Оплатить» is sent ten times to two portals on one PostgreSQL: one payment.
func TestPressesOverTwoPortalsPayOnce(t *testing.T) {
	t.Parallel()
	one := system.NewSite(t, databasetest.Addresses(t)["postgres"], system.WithoutRateLimits)
	two := another(t, one)
	r, _ := system.NewMember(t, one, "1000.00")
	inn := system.NewPerson().INN
	r.OrderPayment(inn, "250,50")
	button := r.Control("Оплатить")
	if button.Length() == 0 {
		t.Fatalf("no «Оплатить»:\n%s", r.Text())
	}
	action, values := r.Submission(button)
	presses := make([]system.Client, 10)
	var all sync.WaitGroup
	for i := range presses {
		presses[i] = *r
		base := []string{one.BaseURL, two.BaseURL}[i%2]
		all.Go(func() {
			if err := presses[i].Request(http.MethodPost, base+action, values); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	codes := map[string]bool{}
	for i := range presses {
		codes[presses[i].Attribute("data-payment-code")] = true
	}
	if len(codes) != 1 {
		t.Errorf("ten submissions made the payments %v", codes)
	}
	last := &presses[len(presses)-1]
	last.WaitAttribute("data-payment-status", "completed")
	if got := one.CompanyBalance(t, inn); got != 25050 {
		t.Errorf("the company has %d", got)
	}
	last.Open("/cabinet")
	system.WantAttribute(t, last, "data-balance", "74950")
	var payments int
	books := databasetest.Reopen(t, one.Database)
	if err := books.Pool().QueryRow("SELECT COUNT(*) FROM payments").Scan(&payments); err != nil || payments != 1 {
		t.Errorf("%d payments, %v", payments, err)
	}
	one.Audit(t)
}

// A session that another process has ended, however it did, pays nothing at the process
// that remembers it and the payment's check page.
func TestSessionEndedAtAnotherPortalPaysNothing(t *testing.T) {
	t.Parallel()
	for name, address := range databasetest.Addresses(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			one := system.NewSite(t, address, system.WithoutRateLimits)
			two := another(t, one)
			books := databasetest.Reopen(t, one.Database)
			for how, end := range map[string]func(r *system.Client, p system.Person){
				"not ended": func(*system.Client, system.Person) {},
				"logged out": func(r *system.Client, _ system.Person) {
					away := system.NewClient(t, two)
					away.HTTP.Jar.SetCookies(away.URL, r.HTTP.Jar.Cookies(r.URL))
					away.Open("/cabinet")
					away.Press("Выйти")
				},
				"closed from another browser": func(_ *system.Client, p system.Person) {
					away := logIn(t, two, p)
					away.Open("/settings")
					away.Fill("end_password", p.Password)
					away.Press("Закрыть этот вход")
				},
				"new password": func(_ *system.Client, p system.Person) {
					away := logIn(t, two, p)
					away.Open("/settings")
					away.Fill("old_password", p.Password)
					away.Fill("password", "совсем другой пароль")
					away.Press("Сменить пароль")
				},
				"blocked": func(_ *system.Client, p system.Person) {
					if out := two.Command(t, "customer", "block", p.Phone, "--staff", "aigul", "--reason", "asked"); out.Code != 0 {
						t.Error(out.Stderr)
					}
				},
			} {
				r, p := system.NewMember(t, one, "1000.00")
				r.OrderPayment(system.NewPerson().INN, "250,50")
				end(r, p)
				r.Press("Оплатить")
				var payments, balance int
				err := books.Pool().QueryRow(`SELECT (SELECT COUNT(*) FROM payments WHERE customer_id = c.id), (SELECT balance FROM accounts WHERE id = c.id)
					FROM customers c WHERE phone = $1`, p.Phone).Scan(&payments, &balance)
				want := [2]int{0, 1000_00}
				if how == "not ended" {
					want = [2]int{1, 749_50}
				}
				if got := [2]int{payments, balance}; err != nil || got != want {
					t.Errorf("%s: %d payments and a balance of %d, %v; want %d\n%s", how, payments, balance, err, want, r.Text())
				}
				if ended := r.URL.Path == "/"; ended != (how != "not ended") {
					t.Errorf("%s: the button leads to %s", how, r.URL)
				}
			}
			one.Audit(t)
		})
	}
}

// another starts a second portal on the database of the first.
func another(t *testing.T, one *system.Site) *system.Site {
	t.Helper()
	listen, two := system.FreeAddress(t), *one
	two.BaseURL, two.Env = "http://"+listen, append(two.Env[:len(two.Env):len(two.Env)], "ELSOM_LISTEN="+listen)
	two.Start(t)
	return &two
}

// logIn returns a browser in which the person is logged in.
func logIn(t *testing.T, s *system.Site, p system.Person) *system.Client {
	t.Helper()
	r := system.NewClient(t, s)
	r.Open("/")
	r.Fill("phone", "0"+strings.TrimPrefix(p.Phone, "+996"))
	r.Press("Войти")
	r.Fill("password", p.Password)
	r.Press("Войти")
	if r.URL.Path != "/cabinet" {
		t.Fatalf("the login led to %s: %s", r.URL, r.Text())
	}
	return r
}
