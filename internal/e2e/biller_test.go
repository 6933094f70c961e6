package e2e_test

import (
	"regexp"
	"strconv"
	"strings"
	"testing"

	"elsom/internal/database/databasetest"
	"elsom/internal/testkit/system"
)

// Whatever fault a biller has, the payment is completed once, by the next attempt
// with the same txn_id.
func TestPaymentSurvivesBillerFaults(t *testing.T) {
	t.Parallel()
	for name, address := range databasetest.Addresses(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			billerFaults(t, system.NewSite(t, address, system.WithoutRateLimits))
		})
	}
}

func billerFaults(t *testing.T, s *system.Site) {
	t.Helper()
	s.ShortenBillerCalls(t, "3s")
	r, _ := system.NewMember(t, s, "5000.00")
	for _, mode := range []string{
		"silent-after", "silent-before", "drop-after", "drop-before", "error-after", "error-before",
		"broken", "temporary", "unfinished", "undecided",
	} {
		t.Run(mode, func(t *testing.T) {
			own := *r
			own.T = t
			inn := system.NewPerson().INN
			own.OrderPayment(inn, "10,50")
			s.SetStandIn(t, "service", "dostek", "command", "pay", "mode", mode, "times", "2", "seconds", "1")
			own.Press("Оплатить")
			system.WantAttribute(t, &own, "data-payment-status", "processing")
			system.WantText(t, &own, "Платёж обрабатывается")
			own.WaitAttribute("data-payment-status", "completed")
			if got := s.CompanyBalance(t, inn); got != 1050 {
				t.Errorf("the company has %d", got)
			}
		})
	}
	s.Audit(t)
}

func TestRefusedPaymentIsRefunded(t *testing.T) {
	t.Parallel()
	s := system.NewSQLiteSite(t, system.WithoutRateLimits)
	r, p := system.NewMember(t, s, "100.00")
	for _, result := range []int{4, 5, 7, 8, 79, 241, 242, 300} {
		t.Run(strconv.Itoa(result), func(t *testing.T) {
			own := *r
			own.T = t
			inn := system.NewPerson().INN
			own.OrderPayment(inn, "10,50")
			s.SetStandIn(t, "service", "dostek", "command", "pay", "mode", "refuse", "result", strconv.Itoa(result), "times", "1")
			own.Press("Оплатить")
			own.WaitAttribute("data-payment-status", "refunded")
			system.WantText(t, &own, "Платёж не прошёл, деньги возвращены")
			if got := s.CompanyBalance(t, inn); got != 0 {
				t.Errorf("the company has %d", got)
			}
			s.WaitSMS(t, p.Phone, regexp.MustCompile(strings.ReplaceAll(system.Grouped(own.Attribute("data-payment-code")), " ", `\s?`)))
			own.Open("/cabinet")
			system.WantAttribute(t, &own, "data-balance", "10000")
		})
	}
	s.Audit(t)
}

func TestCheckPageShowsBillerErrors(t *testing.T) {
	t.Parallel()
	s := system.NewSQLiteSite(t, system.WithoutRateLimits)
	s.ShortenBillerCalls(t, "3s")
	r, _ := system.NewMember(t, s, "100.00")
	for result, field := range map[int]string{4: "account", 5: "account", 79: "account", 241: "amount", 242: "amount"} {
		t.Run(strconv.Itoa(result), func(t *testing.T) {
			own := *r
			own.T = t
			s.SetStandIn(t, "service", "dostek", "command", "check", "mode", "refuse", "result", strconv.Itoa(result), "times", "1")
			own.OrderPayment(system.NewPerson().INN, "10,50")
			own.WantInvalidField(field)
		})
	}
	for _, mode := range []string{"silent-before", "drop-before", "error-before", "broken", "temporary"} {
		t.Run(mode, func(t *testing.T) {
			own := *r
			own.T = t
			s.SetStandIn(t, "service", "dostek", "command", "check", "mode", mode, "times", "1", "seconds", "1")
			own.OrderPayment(system.NewPerson().INN, "10,50")
			if !own.Offers("Оплатить") {
				t.Errorf("a failed check stops the payment: %s", own.Text())
			}
		})
	}
}

func TestAnswerAfterRestart(t *testing.T) {
	t.Parallel()
	s := system.NewSQLiteSite(t, system.WithoutRateLimits)
	s.ShortenBillerCalls(t, "3s")
	r, p := system.NewMember(t, s, "100.00")
	r.OrderPayment(p.INN, "10,50")
	s.SetStandIn(t, "service", "dostek", "command", "pay", "mode", "slow", "seconds", "2", "times", "1")
	r.Press("Оплатить")
	if err := s.Portal.Cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-s.Portal.Done
	s.Start(t)
	r.Visit(r.URL.String())
	r.WaitAttribute("data-payment-status", "completed")
	if got := s.CompanyBalance(t, p.INN); got != 1050 {
		t.Errorf("the company has %d", got)
	}
	s.Audit(t)
}
