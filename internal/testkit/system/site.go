package system

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// HealthStatus asks a portal for its health; 0 where it doesn't answer.
func (s *Site) HealthStatus() int {
	answer, err := http.Get(s.BaseURL + "/healthz")
	if err != nil {
		return 0
	}
	_ = answer.Body.Close()
	return answer.StatusCode
}

// WaitHealthStatus waits until a portal's health is as wanted.
func (s *Site) WaitHealthStatus(t *testing.T, want int) {
	t.Helper()
	for range 300 {
		if s.HealthStatus() == want {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatalf("health is %d, not %d:\n%s", s.HealthStatus(), want, s.Portal.LogTail())
}

// Site is a portal with its stand-in for DosTek's side, each a process.
type Site struct {
	BaseURL, StandInURL string // addresses of the two
	StandInDatabase     string // path of the stand-in's books
	Database            string
	Agent               [2]string // name and password of the terminals
	Binary              string    // the portal's
	Portal              *Program
	StandIn             *Program
	Env                 []string
}

// NewSite starts both on a fresh database. The environment given is added.
func NewSite(t testing.TB, database string, env ...string) *Site {
	t.Helper()
	s := &Site{Database: database, Agent: [2]string{"kicb", "dev-kicb"}, Binary: "elsom"}
	listen, company := FreeAddress(t), FreeAddress(t)
	s.BaseURL, s.StandInURL = "http://"+listen, "http://"+company
	s.StandInDatabase = filepath.Join(t.TempDir(), "sochi.db")
	s.StandIn = Start(t, "sochi", []string{"SOCHI_LISTEN=" + company, "SOCHI_DATABASE=" + s.StandInDatabase})
	s.Env = append([]string{
		"ELSOM_MODE=development",
		"ELSOM_LISTEN=" + listen,
		"ELSOM_DATABASE_URL=" + database,
		"ELSOM_DOSTEK_URL=" + s.StandInURL + "/pay",
	}, env...)
	s.Start(t)
	s.StandIn.WaitHealthy(t, s.StandInURL)
	return s
}

// Start starts the portal, also again.
func (s *Site) Start(t testing.TB) {
	t.Helper()
	s.Portal = Start(t, s.Binary, s.Env, "serve")
	s.Portal.WaitHealthy(t, s.BaseURL)
}

// The many visitors of a test come from one address.
const WithoutRateLimits = "ELSOM_RATE_LIMITS=off"

func (s *Site) GetJSON(t testing.TB, address string, into any) {
	t.Helper()
	request, err := http.NewRequest(http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Accept", "application/json")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s, %v: %.300s", address, answer.Status, err, body)
	}
	if err := json.Unmarshal(body, into); err != nil {
		t.Fatalf("%s: %v: %.300s", address, err, body)
	}
}

// company tells what a company has on its account at DosTek, in tyiyn.
func (s *Site) CompanyBalance(t testing.TB, inn string) int64 {
	t.Helper()
	var company struct {
		INN     string `json:"inn"`
		Balance int64  `json:"balance"`
	}
	s.GetJSON(t, s.StandInURL+"/companies/"+inn, &company)
	if company.INN != inn {
		t.Fatalf("asked for %s, told of %s", inn, company.INN)
	}
	return company.Balance
}

// SetStandIn tells the stand-in how to behave, by the fields of its page.
func (s *Site) SetStandIn(t testing.TB, fields ...string) {
	t.Helper()
	form := url.Values{}
	for i := 0; i < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	answer, err := http.PostForm(s.StandInURL+"/switches", form)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	if answer.StatusCode >= http.StatusBadRequest {
		t.Fatalf("switches: %s", answer.Status)
	}
}

// Audit proves the books.
func (s *Site) Audit(t testing.TB, flags ...string) {
	t.Helper()
	if told := Run(t, []string{"ELSOM_DATABASE_URL=" + s.Database}, append([]string{"audit"}, flags...)...); told.Code != 0 {
		t.Errorf("the books don't hold (%d):\n%s%s", told.Code, told.Stdout, told.Stderr)
	}
}

const (
	SecretKey = "ELSOM_SECRET_KEY=some-secret-some-secret-some-secret"
	PINPepper = "ELSOM_PIN_PEPPER=good-pepper-for-tests-of-the-program"
)

// AmendCatalog exports the catalog, replaces texts in it, and imports it.
func AmendCatalog(t testing.TB, env []string, oldnew ...string) {
	t.Helper()
	exported := Run(t, env, "catalog", "export")
	amended := strings.NewReplacer(oldnew...).Replace(exported.Stdout)
	if exported.Code != 0 || amended == exported.Stdout {
		t.Fatalf("catalog export: %+v", exported)
	}
	file := filepath.Join(t.TempDir(), "catalog.yaml")
	if err := os.WriteFile(file, []byte(amended), 0o600); err != nil {
		t.Fatal(err)
	}
	if told := Run(t, env, "catalog", "import", file); told.Code != 0 {
		t.Fatalf("catalog import: %+v", told)
	}
}

// NewSQLiteSite starts a site on a fresh SQLite database.
func NewSQLiteSite(t *testing.T, env ...string) *Site {
	t.Helper()
	return NewSite(t, "sqlite:"+filepath.Join(t.TempDir(), "elsom.db"), env...)
}

// ShortenBillerCalls shortens the calls to billers, and with them the leases that a killed
// process leaves behind: a test waits less than an operator.
func (s *Site) ShortenBillerCalls(t *testing.T, deadline string) {
	t.Helper()
	// In development the stand-in is known to answer stored outcomes anyway.
	AmendCatalog(t, []string{"ELSOM_DATABASE_URL=" + s.Database}, "deadline: 20s", "deadline: "+deadline, "answers_stored_outcome: false", "answers_stored_outcome: true")
	s.Portal.Stop(syscall.SIGTERM)
	s.Start(t)
}
