package main_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
)

// The figures are told on an address of their own, by route and never by path.
func TestMetrics(t *testing.T) {
	t.Parallel()
	address := freeAddress(t)
	s := newSite(t, "sqlite:"+t.TempDir()+"/elsom.db", "ELSOM_METRICS_LISTEN="+address)
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
	get(s.base + "/receipt/700123456")
	status, figures := get("http://" + address + "/metrics")
	for _, want := range []string{`route="/receipt/:payment"`, "elsom_payments_processing 0", "go_goroutines"} {
		if status != http.StatusOK || !strings.Contains(figures, want) {
			t.Errorf("%d: no %s", status, want)
		}
	}
	if strings.Contains(figures, "700123456") {
		t.Error("a path stands in the figures")
	}
	if status, _ := get(s.base + "/metrics"); status != http.StatusNotFound {
		t.Errorf("the public address answers %d for /metrics", status)
	}
}
