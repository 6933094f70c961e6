package bench_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"elsom/internal/database/databasetest"
	"elsom/internal/password"
	"elsom/internal/testkit/system"
)

// Minimum ratios of *900# to its references, measured in the same run: a bare Echo
// handler over HTTP, and argon2id hashes at the portal's concurrency.
const (
	benchUSSDLeast    = 0.25
	benchUSSDPINLeast = 0.85
	benchUSSDSeconds  = 5
	benchUSSDRounds   = 3
	benchUSSDCallers  = 32
)

// caller is a phone with a wallet.
type caller struct{ phone, pin string }

// BenchmarkUSSD prints requests and dialogues a second over a real portal on
// PostgreSQL, at 32 gateway connections without PIN steps and 8 with.
func BenchmarkUSSD(b *testing.B) {
	server, err := databasetest.StartPostgres()
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(server.Stop)
	s := &benchServer{b: b, server: server}
	s.tool("createdb", "ussd")
	u := newUSSDBench(b, s.prepare("ussd"), benchUSSDSeconds*time.Second)
	var plain, pins []float64
	printf("%-8s %14s %14s %8s %14s %14s %8s\n", "round", "bare Echo", "USSD requests", "ratio", "argon2id", "with a PIN", "ratio")
	for round := range benchUSSDRounds {
		bareRate, requests, hashes, dialogues := u.bare(), u.requests(), u.hashes(), u.dialogues()
		plain, pins = append(plain, requests/bareRate), append(pins, dialogues/hashes)
		printf("%-8d %14.0f %14.0f %8.2f %14.1f %14.1f %8.2f\n", round+1, bareRate, requests, requests/bareRate, hashes, dialogues, dialogues/hashes)
	}
	printf("USSD requests a second without PIN steps / a bare Echo handler: %.2f; at least %.2f is wanted\n", median(plain), benchUSSDLeast)
	printf("USSD dialogues a second with PIN steps / argon2id hashes a second: %.2f; at least %.2f is wanted\n", median(pins), benchUSSDPINLeast)
	b.ReportMetric(median(plain), "x-echo")
	b.ReportMetric(median(pins), "x-argon2id")
	if median(plain) < benchUSSDLeast || median(pins) < benchUSSDPINLeast {
		b.Errorf("the ratios are %.2f and %.2f; %.2f and %.2f are wanted", median(plain), median(pins), benchUSSDLeast, benchUSSDPINLeast)
	}
}

type ussdBench struct {
	b        testing.TB
	site     *system.Site
	yard     string // the bare handler's address
	hasher   *password.Hasher
	lasting  time.Duration
	client   *http.Client
	callers  []caller
	sessions atomic.Int64
}

// newUSSDBench starts a portal and a bare Echo handler.
func newUSSDBench(b testing.TB, address string, lasting time.Duration) *ussdBench {
	b.Helper()
	s := system.NewSite(b, address, system.WithoutRateLimits)
	u := &ussdBench{b: b, site: s, lasting: lasting, client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 2 * benchUSSDCallers}}}
	for i := range benchUSSDCallers {
		u.join(i)
	}
	bare := echo.New()
	bare.POST("/ussd", func(c echo.Context) error { return c.String(http.StatusOK, "CON "+c.FormValue("text")) })
	yard := httptest.NewServer(bare)
	b.Cleanup(yard.Close)
	u.yard = yard.URL
	var err error
	if u.hasher, err = password.New(password.DefaultHash); err != nil {
		b.Fatal(err)
	}
	return u
}

func (u *ussdBench) bare() float64 {
	return u.rate(benchUSSDCallers, func(i, n int) int { return u.walk(u.yard, i, n) })
}

func (u *ussdBench) requests() float64 {
	return u.rate(benchUSSDCallers, func(i, n int) int { return u.walk(u.site.BaseURL, i, n) })
}

func (u *ussdBench) hashes() float64 {
	return u.rate(benchHashers, func(int, int) int {
		if _, err := u.hasher.Hash(context.Background(), "7391"); err != nil {
			return 0
		}
		return 1
	})
}

func (u *ussdBench) dialogues() float64 { return u.rate(benchHashers, u.balance) }

func (u *ussdBench) join(i int) {
	p := system.NewMegacomPerson()
	_, last := u.site.Dial(u.b, fmt.Sprintf("join-%d", i), p.Phone, "2", "1", "Айжан Осмонова", "11503198500123", "1", "1")
	if !strings.HasPrefix(last, "END ") {
		u.b.Fatal(last)
	}
	u.callers = append(u.callers, caller{p.Phone, system.PINOf(u.site.WaitSMS(u.b, p.Phone, regexp.MustCompile(`^\d{4} `)))})
}

// benchHashers is smaller: requests are refused if the queue for a hash is too long.
const benchHashers = 8

// rate runs callers for some seconds; do returns the number of operations it made.
func (u *ussdBench) rate(callers int, do func(caller, n int) int) float64 {
	var done atomic.Int64
	var all sync.WaitGroup
	begin := time.Now()
	for i := range callers {
		all.Go(func() {
			for n := 0; time.Since(begin) < u.lasting; n++ {
				done.Add(int64(do(i, n)))
			}
		})
	}
	all.Wait()
	return float64(done.Load()) / time.Since(begin).Seconds()
}

// walk goes through the menu up to the amount: six requests without a PIN.
func (u *ussdBench) walk(base string, i, _ int) int {
	session := fmt.Sprintf("bench-%d", u.sessions.Add(1))
	texts := []string{"", "3", "3*3", "3*3*14", "3*3*14*14", "3*3*14*14*00207199610017"}
	for _, text := range texts {
		u.send(base, session, u.callers[i].phone, text, "CON ")
	}
	return len(texts)
}

// balance reads the balance: four requests, the last with the PIN.
func (u *ussdBench) balance(i, _ int) int {
	session := fmt.Sprintf("bench-%d", u.sessions.Add(1))
	u.send(u.site.BaseURL, session, u.callers[i].phone, "", "CON ")
	u.send(u.site.BaseURL, session, u.callers[i].phone, "8", "CON ")
	u.send(u.site.BaseURL, session, u.callers[i].phone, "8*1", "CON ")
	if answer := u.send(u.site.BaseURL, session, u.callers[i].phone, "8*1*"+u.callers[i].pin, ""); !strings.HasPrefix(answer, "END ") {
		return 0 // no PIN hash could be computed in time: not counted, and no error
	}
	return 1
}

func (u *ussdBench) send(base, session, phone, text, want string) string {
	form := url.Values{"sessionId": {session}, "serviceCode": {"*900#"}, "phoneNumber": {phone}, "text": {text}}
	request, err := http.NewRequest(http.MethodPost, base+"/ussd", strings.NewReader(form.Encode()))
	if err != nil {
		u.b.Error(err)
		return ""
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.SetBasicAuth("ussd", "dev-ussd")
	answer, err := u.client.Do(request)
	if err != nil {
		u.b.Error(err)
		return ""
	}
	body, err := io.ReadAll(answer.Body)
	answer.Body.Close()
	if err != nil || answer.StatusCode != http.StatusOK || !strings.HasPrefix(string(body), want) {
		u.b.Errorf("%d inputs: %s, %v", strings.Count(text, "*")+1, answer.Status, err)
	}
	return string(body)
}

// dials returns the portal on which *900# is measured.
func (m *runner) dials() (*ussdBench, *benchDB) {
	m.b.Helper()
	if m.ussd == nil {
		m.server.tool("createdb", "ussd")
		address := m.server.prepare("ussd")
		m.ussd = newUSSDBench(m.b, address, m.lasting/2)
		m.books["ussd"] = m.openAt("ussd", address)
	}
	return m.ussd, m.books["ussd"]
}

func dialing(m *runner) measured {
	u, bdb := m.dials()
	yardstick := m.measureOnce("a bare Echo handler", func() figure { return figure{rate: u.bare()} })
	f := m.measureOnce("USSD requests without PIN steps", func() figure {
		return m.server.measureCPU(func() figure {
			rate := u.requests()
			return figure{rate: rate, done: int64(rate * u.lasting.Seconds())}
		}, &portal{Program: u.site.Portal})
	})
	return on(per(f, yardstick), bdb)
}

func proving(m *runner) measured {
	u, bdb := m.dials()
	yardstick := m.measureOnce("argon2id hashes", func() figure { return figure{rate: u.hashes()} })
	f := m.measureOnce("USSD dialogues with a PIN", func() figure { return figure{rate: u.dialogues()} })
	return on(per(f, yardstick), bdb)
}
