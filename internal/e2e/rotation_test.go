package e2e_test

import (
	"net/http"
	"strings"
	"syscall"
	"testing"

	"elsom/internal/checkpoint"
	"elsom/internal/database/databasetest"
	"elsom/internal/i18n"
	"elsom/internal/testkit/system"
)

// Secret and pepper are replaced under two portals in the documented order. Customers
// go from one to the other at each step: nobody is signed out, no code is lost, and a
// password that a portal has recognized is recognized by the next.
func TestKeysAreReplacedUnderTwoPortals(t *testing.T) {
	t.Parallel()
	database := databasetest.Addresses(t)["postgres"]
	previous := func(keys ...string) (env []string) {
		for _, k := range keys {
			env = append(env, strings.Replace(k, "=", "_PREVIOUS=", 1))
		}
		return env
	}
	before, after := []string{system.SecretKey, system.PINPepper}, []string{otherSecret, otherPepper}
	both := append(before[:2:2], previous(after...)...)
	switched := append(after[:2:2], previous(before...)...)

	// Development derives the keys of the books from the secret unless it has others.
	checkpoints, _, err := checkpoint.NewKey("elsom.test")
	if err != nil {
		t.Fatal(err)
	}
	books := []string{system.WithoutRateLimits, system.BooksKey, "ELSOM_CHECKPOINT_KEY=" + checkpoints}

	one := system.NewSite(t, database, append(before, books...)...)
	base := one.Env[:4:4]
	with := func(s *system.Site, keys []string) *system.Site {
		listen := strings.TrimPrefix(s.BaseURL, "http://")
		s.Env = append(append(append(base[:4:4], keys...), books...), "ELSOM_LISTEN="+listen)
		return s
	}
	restart := func(s *system.Site, keys []string) {
		s.Portal.Stop(syscall.SIGTERM)
		with(s, keys).Start(t)
	}
	copied := *one
	two := &copied
	two.BaseURL = "http://" + system.FreeAddress(t)

	client, person := system.NewMember(t, one, "1000.00")
	restart(one, both)
	with(two, both).Start(t)
	for i, step := range []func(){
		func() {}, func() { restart(one, switched) }, func() { restart(two, switched) }, func() { restart(one, after) }, func() { restart(two, after) },
	} {
		step()
		for _, s := range []*system.Site{one, two, one} {
			other := map[*system.Site]*system.Site{one: two, two: one}[s]
			payFormOfOther(t, client, s, other, i+1)
			s.CashIn(t, person.Phone, "1.00")
		}
		signUpOverTwo(t, one, two, i+1)
	}
	env := append(base[:4:4], before...)
	refuses(t, append(env, "ELSOM_LISTEN="+system.FreeAddress(t)), "ELSOM_SECRET_KEY: is not the key", "ELSOM_PIN_PEPPER: is not the key")
	one.Audit(t)
	one.Env = append(append(base[:4:4], switched...), books...)
	status := system.Run(t, one.Env, "key", "status")
	if status.Code != 0 || !strings.Contains(status.Stdout, "hashed with another pepper: 0\n  previous: set, may be removed\n") ||
		!strings.Contains(status.Stdout, "sealed with another secret: 0\n  previous: set, may be removed after ") {
		t.Errorf("key status: %+v", status)
	}
}

// payFormOfOther fills the payment form of one portal and sends it to the other.
func payFormOfOther(t *testing.T, client *system.Client, s, other *system.Site, step int) {
	t.Helper()
	client.Visit(s.BaseURL + "/pay/dostek")
	if client.Path() != "/pay/dostek" {
		t.Fatalf("step %d: signed out, at %s", step, client.Path())
	}
	client.Fill("account", system.NewPerson().INN)
	client.Fill("amount", "10")
	action, values := client.Submission(client.Control("Далее"))
	if err := client.Request(http.MethodPost, other.BaseURL+action, values); err != nil || client.Status != http.StatusOK || !client.Offers("Оплатить") {
		t.Fatalf("step %d: the form of the other portal: %d, %v:\n%s", step, client.Status, err, client.Text())
	}
}

// signUpOverTwo confirms a sign-up that began at one portal with its code at the other.
func signUpOverTwo(t *testing.T, one, two *system.Site, step int) {
	t.Helper()
	fresh, words := system.NewPerson(), system.WordsOf[i18n.RU]
	signup := system.NewClient(t, one)
	signup.Open("/")
	signup.Fill("phone", "0"+strings.TrimPrefix(fresh.Phone, "+996"))
	signup.Press(words.Enter)
	signup.Fill("email", fresh.Email)
	signup.Fill("password", fresh.Password)
	signup.Tick("offer")
	signup.Press(words.Register)
	signup.Fill("code", one.SMSCode(t, fresh.Phone))
	action, values := signup.Submission(signup.Control(words.Confirm))
	if err := signup.Request(http.MethodPost, two.BaseURL+action, values); err != nil || signup.Path() != "/cabinet" {
		t.Fatalf("step %d: the code of the other portal: at %s, %v:\n%s", step, signup.Path(), err, signup.Text())
	}
}
