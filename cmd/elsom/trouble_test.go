package main_test

import (
	"net/http"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"elsom/internal/database/databasetest"
	"elsom/internal/i18n"
)

// member is somebody who is signed up and has some money, on a reader's page.
func member(t *testing.T, s *site, som string) (*reader, person) {
	t.Helper()
	p, r := somebody(), newReader(t, s)
	signUp(t, s, r, wordsOf[i18n.RU], p)
	if som != "" {
		s.fill(t, p.phone, som)
	}
	return r, p
}

// order types a payment to DosTek and presses «Далее».
func (r *reader) order(account, amount string) {
	r.t.Helper()
	r.open("/pay/dostek")
	r.fill("account", account)
	r.fill("amount", amount)
	r.press("Далее")
}

// sqlite starts a site on a fresh SQLite database.
func sqlite(t *testing.T, env ...string) *site {
	t.Helper()
	return newSite(t, "sqlite:"+filepath.Join(t.TempDir(), "elsom.db"), env...)
}

// refused wants 422 with the field named and described, and others not.
func (r *reader) refused(field string) {
	r.t.Helper()
	if r.status != http.StatusUnprocessableEntity {
		r.t.Errorf("status %d at %s, want 422:\n%s", r.status, r.at, r.text())
		return
	}
	invalid := r.page.Find(`[aria-invalid="true"]`)
	if invalid.Length() != 1 || invalid.AttrOr("name", "") != field {
		r.t.Errorf("%d fields are called wrong, the first %q; want %s", invalid.Length(), invalid.AttrOr("name", ""), field)
	}
	described := false
	for _, id := range strings.Fields(invalid.AttrOr("aria-describedby", "")) {
		described = described || line(r.page.Find("#"+id).Text()) != ""
	}
	if !described {
		r.t.Errorf("%s has no words that say what is wrong", field)
	}
}

// hurry shortens the calls to billers, and with them the leases that a killed
// process leaves behind: a test waits less than an operator.
func (s *site) hurry(t *testing.T, deadline string) {
	t.Helper()
	// In development the stand-in is known to answer stored outcomes anyway.
	amendCatalog(t, []string{"ELSOM_DATABASE_URL=" + s.database}, "deadline: 20s", "deadline: "+deadline, "answers_stored_outcome: false", "answers_stored_outcome: true")
	s.portal.stop(syscall.SIGTERM)
	s.open(t)
}

// What a biller may do on a bad day, and the payment is done all the same,
// once: by the next attempt with the same txn_id.
func TestPaymentOutlivesABadDayOfTheBiller(t *testing.T) {
	t.Parallel()
	for name, address := range databasetest.Addresses(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			badDays(t, newSite(t, address, withoutRateLimits))
		})
	}
}

func badDays(t *testing.T, s *site) {
	t.Helper()
	s.hurry(t, "3s")
	r, _ := member(t, s, "5000.00")
	for _, mode := range []string{
		"silent-after", "silent-before", "drop-after", "drop-before", "error-after", "error-before",
		"broken", "temporary", "unfinished", "undecided",
	} {
		t.Run(mode, func(t *testing.T) {
			own := *r
			own.t = t
			inn := somebody().inn
			own.order(inn, "10,50")
			s.switchStand(t, "service", "dostek", "command", "pay", "mode", mode, "times", "2", "seconds", "1")
			own.press("Оплатить")
			see(t, &own, "data-payment-status", "processing")
			says(t, &own, "Платёж обрабатывается")
			own.wait("data-payment-status", "completed")
			if got := s.companyBalance(t, inn); got != 1050 {
				t.Errorf("the company has %d", got)
			}
		})
	}
	s.audit(t)
}

func TestRefusedPaymentGivesTheMoneyBack(t *testing.T) {
	t.Parallel()
	s := sqlite(t, withoutRateLimits)
	r, p := member(t, s, "100.00")
	for _, result := range []int{4, 5, 7, 8, 79, 241, 242, 300} {
		t.Run(strconv.Itoa(result), func(t *testing.T) {
			own := *r
			own.t = t
			inn := somebody().inn
			own.order(inn, "10,50")
			s.switchStand(t, "service", "dostek", "command", "pay", "mode", "refuse", "result", strconv.Itoa(result), "times", "1")
			own.press("Оплатить")
			own.wait("data-payment-status", "refunded")
			says(t, &own, "Платёж не прошёл, деньги возвращены")
			if got := s.companyBalance(t, inn); got != 0 {
				t.Errorf("the company has %d", got)
			}
			s.message(t, p.phone, regexp.MustCompile(strings.ReplaceAll(grouped(own.attribute("data-payment-code")), " ", `\s?`)))
			own.open("/cabinet")
			see(t, &own, "data-balance", "10000")
		})
	}
	s.audit(t)
}

func TestCheckTellsWhatIsWrongBeforePaying(t *testing.T) {
	t.Parallel()
	s := sqlite(t, withoutRateLimits)
	s.hurry(t, "3s")
	r, _ := member(t, s, "100.00")
	for result, field := range map[int]string{4: "account", 5: "account", 79: "account", 241: "amount", 242: "amount"} {
		t.Run(strconv.Itoa(result), func(t *testing.T) {
			own := *r
			own.t = t
			s.switchStand(t, "service", "dostek", "command", "check", "mode", "refuse", "result", strconv.Itoa(result), "times", "1")
			own.order(somebody().inn, "10,50")
			own.refused(field)
		})
	}
	for _, mode := range []string{"silent-before", "drop-before", "error-before", "broken", "temporary"} {
		t.Run(mode, func(t *testing.T) {
			own := *r
			own.t = t
			s.switchStand(t, "service", "dostek", "command", "check", "mode", mode, "times", "1", "seconds", "1")
			own.order(somebody().inn, "10,50")
			if !own.offers("Оплатить") {
				t.Errorf("a biller that can't check stops the payment: %s", own.text())
			}
		})
	}
}

func TestAnswerAfterOurRestart(t *testing.T) {
	t.Parallel()
	s := sqlite(t, withoutRateLimits)
	s.hurry(t, "3s")
	r, p := member(t, s, "100.00")
	r.order(p.inn, "10,50")
	s.switchStand(t, "service", "dostek", "command", "pay", "mode", "slow", "seconds", "2", "times", "1")
	r.press("Оплатить")
	if err := s.portal.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-s.portal.done
	s.open(t)
	r.visit(r.at.String())
	r.wait("data-payment-status", "completed")
	if got := s.companyBalance(t, p.inn); got != 1050 {
		t.Errorf("the company has %d", got)
	}
	s.audit(t)
}
