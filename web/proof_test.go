package web_test

import (
	"bytes"
	"net/http"
	"strings"
	"testing"

	"elsom/internal/receipt"
	"elsom/internal/testkit"
	"elsom/internal/testkit/require"
)

// A receipt has its proof as a file once it is sealed, for its owner only.
func TestReceiptProof(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	app.setBiller(testkit.Good, testkit.Good)
	app.startDeliveries()
	holder := app.newCustomer(500_00)
	b := app.browserOf(holder)
	b.draft(company, "250,50").press("Оплатить").waitEnded()
	path := b.at.Path
	hasLink := func() bool { return b.open(path).page.Find(`a[href="`+path+`/proof"]`).Length() == 1 }
	if hasLink() {
		t.Error("there is a link before the payment is sealed")
	}
	if answer := b.ask(http.MethodGet, path+"/proof", nil); answer.Code != http.StatusNotFound {
		t.Errorf("before it is sealed: %d", answer.Code)
	}
	require.Value(app.log.Seal(t.Context()))(t)
	if !hasLink() || !strings.Contains(b.text(), "Подтверждение") {
		t.Error("there is no link after the payment is sealed")
	}
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
