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

// HealthStatus returns the status of the health check; 0 without an answer.
func (s *Site) HealthStatus() int {
	response, err := http.Get(s.BaseURL + "/healthz")
	if err != nil {
		return 0
	}
	_ = response.Body.Close()
	return response.StatusCode
}

// WaitHealthStatus waits up to 30 seconds for a status of the health check.
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

// Site is a portal in development mode with a stand-in for DosTek's side, each a
// process.
type Site struct {
	BaseURL, StandInURL string
	StandInDatabase     string    // path
	Database            string    // address
	Agent               [2]string // name and password of the cash-in agent
	Binary              string    // of the portal: elsom or ChaosBinary
	Portal              *Program
	StandIn             *Program
	Env                 []string
}

// NewSite starts both programs on a fresh database. env is added to the portal's
// environment.
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

// Start starts the portal, at first or after it was stopped.
func (s *Site) Start(t testing.TB) {
	t.Helper()
	s.Portal = Start(t, s.Binary, s.Env, "serve")
	s.Portal.WaitHealthy(t, s.BaseURL)
}

// WithoutRateLimits turns rate limits off: all clients of a test have one address.
const WithoutRateLimits = "ELSOM_RATE_LIMITS=off"

// GetJSON decodes the JSON of an address.
func (s *Site) GetJSON(t testing.TB, address string, into any) {
	t.Helper()
	request, err := http.NewRequest(http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Accept", "application/json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s, %v: %.300s", address, response.Status, err, body)
	}
	if err := json.Unmarshal(body, into); err != nil {
		t.Fatalf("%s: %v: %.300s", address, err, body)
	}
}

// CompanyBalance returns a company's balance at the stand-in, in tyiyn.
func (s *Site) CompanyBalance(t testing.TB, inn string) int64 {
	t.Helper()
	var company struct {
		INN     string `json:"inn"`
		Balance int64  `json:"balance"`
	}
	s.GetJSON(t, s.StandInURL+"/companies/"+inn, &company)
	if company.INN != inn {
		t.Fatalf("asked for company %s, got %s", inn, company.INN)
	}
	return company.Balance
}

// SetStandIn sets the stand-in's behavior. fields are names and values of its form.
func (s *Site) SetStandIn(t testing.TB, fields ...string) {
	t.Helper()
	form := url.Values{}
	for i := 0; i < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	response, err := http.PostForm(s.StandInURL+"/switches", form)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode >= http.StatusBadRequest {
		t.Fatalf("switches: %s", response.Status)
	}
}

// Audit runs elsom audit with the portal's keys and reports an error unless the books
// hold and the log is whole.
func (s *Site) Audit(t testing.TB, flags ...string) {
	t.Helper()
	if out := s.Command(t, append([]string{"audit"}, flags...)...); out.Code != 0 {
		t.Errorf("the books don't hold (%d):\n%s%s", out.Code, out.Stdout, out.Stderr)
	}
}

// Command runs a command of elsom with the portal's settings.
func (s *Site) Command(t testing.TB, args ...string) Output {
	t.Helper()
	return Run(t, append(s.Env[:len(s.Env):len(s.Env)], "ELSOM_DATABASE_URL="+s.Database), args...)
}

// Keys of a portal in production.
const (
	SecretKey = "ELSOM_SECRET_KEY=some-secret-some-secret-some-secret"
	PINPepper = "ELSOM_PIN_PEPPER=good-pepper-for-tests-of-the-program"
	BooksKey  = "ELSOM_BOOKS_KEY=good-books-key-for-tests-of-the-program"
)

// AmendCatalog exports the catalog, replaces texts (pairs of old and new) and
// imports it.
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
	if out := Run(t, env, "catalog", "import", file); out.Code != 0 {
		t.Fatalf("catalog import: %+v", out)
	}
}

// NewSQLiteSite is NewSite on SQLite.
func NewSQLiteSite(t *testing.T, env ...string) *Site {
	t.Helper()
	return NewSite(t, "sqlite:"+filepath.Join(t.TempDir(), "elsom.db"), env...)
}

// ShortenBillerCalls sets the deadline of calls to billers and restarts the portal.
// It shortens the leases, too, that a killed process leaves behind.
func (s *Site) ShortenBillerCalls(t *testing.T, deadline string) {
	t.Helper()
	// Development sets answers_stored_outcome for the stand-in anyway.
	AmendCatalog(t, []string{"ELSOM_DATABASE_URL=" + s.Database}, "deadline: 20s", "deadline: "+deadline, "answers_stored_outcome: false", "answers_stored_outcome: true")
	s.Portal.Stop(syscall.SIGTERM)
	s.Start(t)
}
