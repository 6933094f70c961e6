package chaos_test

import (
	"net/http"
	"sync"
	"testing"

	"elsom/internal/database/databasetest"
	"elsom/internal/i18n"
	"elsom/internal/testkit/system"
)

// The portal is killed while transfers are accepted. All are sent again, and each
// is made once.
func TestKilledDuringTransfers(t *testing.T) {
	t.Parallel()
	for name, address := range databasetest.Addresses(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := system.NewSite(t, address, system.WithoutRateLimits)
			from, to := system.NewPerson(), system.NewPerson()
			sender, receiver := system.NewClient(t, s), system.NewClient(t, s)
			system.SignUp(t, s, sender, system.WordsOf[i18n.RU], from)
			system.SignUp(t, s, receiver, system.WordsOf[i18n.RU], to)
			s.CashIn(t, from.Phone, "1000.00")
			const drafts = 20
			var tabs []*system.Submission
			for range drafts {
				tab := system.NewClient(t, s)
				tab.HTTP = &http.Client{Jar: sender.HTTP.Jar, Timeout: sender.HTTP.Timeout}
				tab.Open("/transfer")
				tab.Fill("phone", to.Phone)
				tab.Fill("amount", "10")
				tab.Press("Далее")
				o := &system.Submission{Client: tab}
				o.Action, o.Values = tab.Submission(tab.Control("Перевести"))
				tabs = append(tabs, o)
			}
			var all sync.WaitGroup
			answered := make(chan bool, drafts)
			for _, o := range tabs {
				all.Go(func() { answered <- o.Accepted() })
			}
			<-answered
			if err := s.Portal.Cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			<-s.Portal.Done
			s.Start(t)
			all.Wait()
			for range 2 {
				system.Each(tabs, func(o *system.Submission) {
					if err := o.Client.Request(http.MethodPost, o.Action, o.Values); err != nil || o.Client.Attribute("data-transfer") != "sent" {
						t.Errorf("sent again: %v\n%s", err, o.Client.Text())
					}
				})
			}
			receiver.Open("/cabinet")
			system.WantAttribute(t, receiver, "data-balance", "20000")
			sender.Open("/cabinet")
			system.WantAttribute(t, sender, "data-balance", "80000")
			s.Audit(t)
		})
	}
}
