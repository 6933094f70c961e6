package web_test

import (
	"bytes"
	"net/http"
	"strings"
	"testing"
	"time"

	"elsom/internal/receipt"
	"elsom/internal/testkit"
	"elsom/internal/testkit/require"
)

// A receipt has its proof as a file, for its owner only. Before it is sealed, the answer
// is a page that asks for it again.
func TestReceiptProof(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	app.setBiller(testkit.Good, testkit.Good)
	app.startDeliveries()
	holder := app.newCustomer(500_00)
	b := app.browserOf(holder)
	b.draft(company, "250,50").press("Оплатить").waitEnded()
	path := b.at.Path
	if href := b.control("Скачать подтверждение").AttrOr("href", ""); href != path+"/proof" {
		t.Errorf("the link leads to %q", href)
	}
	waiting := b.ask(http.MethodGet, path+"/proof", nil)
	if again := waiting.Header().Get("Refresh"); waiting.Code != http.StatusAccepted || again != "2; url="+path+"/proof?poll=1" {
		t.Errorf("before it is sealed: %d, %q", waiting.Code, again)
	}
	app.advance(3 * time.Minute)
	waiting = b.ask(http.MethodGet, path+"/proof?poll=1", nil)
	if again := waiting.Header().Get("Refresh"); waiting.Code != http.StatusAccepted || again != "" || !strings.Contains(waiting.Body.String(), "Попробуйте позже") {
		t.Errorf("long after the payment: %d, %q", waiting.Code, again)
	}
	require.Value(app.log.Seal(t.Context()))(t)
	answer := b.ask(http.MethodGet, path+"/proof", nil)
	code := b.data("payment-code")
	if answer.Code != http.StatusOK || answer.Header().Get("Content-Disposition") != `attachment; filename="receipt-`+code+`.json"` || answer.Header().Get("Cache-Control") != "no-store" {
		t.Fatalf("%d, %v", answer.Code, answer.Header())
	}
	paid, err := receipt.Verify(bytes.NewReader(answer.Body.Bytes()), checkpointKeys())
	require.NoError(t, err)
	if paid.Code != code || paid.Account != company || paid.Amount != 250_50 || paid.State != receipt.Completed || paid.EndedAt.Before(paid.AcceptedAt) || paid.Checkpoint.Size == 0 {
		t.Errorf("it says %+v", paid)
	}
	for _, other := range []*browser{app.browserOf(app.newCustomer(100)), b} {
		wrong := path + "/proof"
		if other == b {
			wrong = "/receipt/x/proof"
		}
		if answer := other.ask(http.MethodGet, wrong, nil); answer.Code != http.StatusNotFound {
			t.Errorf("%s: %d", wrong, answer.Code)
		}
	}
}
