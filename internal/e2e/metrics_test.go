package e2e_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"elsom/internal/database/databasetest"
	"elsom/internal/testkit/system"
)

// Metrics are served on an address of their own, by route and never by path.
func TestMetrics(t *testing.T) {
	t.Parallel()
	address := system.FreeAddress(t)
	database := "sqlite:" + t.TempDir() + "/elsom.db"
	s := system.NewSite(t, database, "ELSOM_METRICS_LISTEN="+address)
	get := func(url string) (int, string) {
		t.Helper()
		answer, err := http.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		body, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Fatal(err)
		}
		return answer.StatusCode, string(body)
	}
	get(s.BaseURL + "/receipt/700123456")
	made, err := http.NewRequest("MADEUP", s.BaseURL+"/help", nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(made)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	status, metrics := get("http://" + address + "/metrics")
	// A request is counted after it was answered.
	for begin := time.Now(); !strings.Contains(metrics, `method="other"`) && time.Since(begin) < 10*time.Second; {
		time.Sleep(20 * time.Millisecond)
		status, metrics = get("http://" + address + "/metrics")
	}
	for _, want := range []string{`route="/receipt/:payment"`, `method="other"`, "elsom_payments_processing 0", "elsom_unverified_rows_total 0", "elsom_catalog_unreviewed 1", "elsom_catalog_unverified 0", "elsom_payments_undecided 0", "elsom_payments_asked 0", `elsom_sms_messages{state="failed"} 0`, "elsom_sms_repeated_total 0", `elsom_sms_codes_refused_total{limit="overall"} 0`, "elsom_sms_notices_dropped_total 0", "go_goroutines"} {
		if status != http.StatusOK || !strings.Contains(metrics, want) {
			t.Errorf("%d: no %s", status, want)
		}
	}
	if _, err := databasetest.Reopen(t, databasetest.OwnerAddress(database)).Pool().Exec("UPDATE catalog_billers SET url = 'https://evil.example/'"); err != nil {
		t.Fatal(err)
	}
	if _, changed := get("http://" + address + "/metrics"); !strings.Contains(changed, "elsom_catalog_unverified 1") {
		t.Error("a changed catalog is not in the metrics")
	}
	if strings.Contains(metrics, "700123456") || strings.Contains(metrics, "MADEUP") {
		t.Error("text made up by a client is in the metrics")
	}
	if status, _ := get(s.BaseURL + "/metrics"); status != http.StatusNotFound {
		t.Errorf("the public address answers %d for /metrics", status)
	}
}
