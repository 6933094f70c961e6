package gallery_test

import (
	"context"
	"net/http"
	"regexp"
	"sync/atomic"
	"testing"
	"time"

	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"elsom/internal/i18n"
	"elsom/internal/testkit/require"
	"elsom/templates/layout"
	"elsom/templates/page"
)

// waitForResult waits until a script's result is the wanted one.
func waitForResult(ctx context.Context, t *testing.T, script, want string) {
	t.Helper()
	var got string
	var err error
	for range 100 {
		// The script fails while the page is being left.
		if err = chromedp.Run(ctx, chromedp.Evaluate(script, &got)); err == nil && got == want {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatalf("%s is %q (%v), not %q", script, got, err, want)
}

// TestScript checks each function of elsom.js in Chromium.
func TestScript(t *testing.T) {
	h, ctx := open(t), browser(t)
	consoleEntries := console(ctx)
	require.NoError(t, chromedp.Run(ctx, emulate(360, false), visit(h.URL+"/ru/pay-wrong")))
	waitForResult(ctx, t, `document.activeElement.id`, "problems")
	require.NoError(t, chromedp.Run(ctx, chromedp.Click(`#problems a[href="#amount"]`)))
	waitForResult(ctx, t, `document.activeElement.id`, "amount")

	require.NoError(t, chromedp.Run(ctx, visit(h.URL+"/ru/login"), chromedp.Click(`[data-peek]`)))
	waitForResult(ctx, t, `document.querySelector("#password").type + document.querySelector("[data-peek]").textContent`, "textСкрыть")
	require.NoError(t, chromedp.Run(ctx, chromedp.Click(`[data-peek]`)))
	waitForResult(ctx, t, `document.querySelector("#password").type`, "password")
	for _, entry := range consoleEntries() {
		t.Errorf("console: %s", entry)
	}
}

// The wallet's number is copied without spaces, and the button says so for some seconds.
func TestNumberIsCopied(t *testing.T) {
	h, ctx := open(t), browser(t)
	require.NoError(t, chromedp.Run(ctx, visit(h.URL+"/ru/fill"),
		chromedp.Evaluate(`navigator.clipboard.writeText = (text) => { window.copied = text; return Promise.resolve(); }`, nil),
		chromedp.Click(`[data-copy]`)))
	waitForResult(ctx, t, `window.copied + document.querySelector("[data-copy] [aria-live]").textContent`, "0700123456Скопировано")
	waitForResult(ctx, t, `document.querySelector("[data-copy]").textContent.trim()`, "Скопировать")
}

// A receipt in processing updates itself and announces the outcome to screen
// readers.
func TestReceiptRefreshesItself(t *testing.T) {
	h, ctx := open(t), browser(t)
	var asked atomic.Int64
	h.mux.HandleFunc("GET /receipt/9", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", policy)
		view := page.ReceiptPage{Status: page.Processing, Code: "482915730264", RepeatHref: "/pay/x"}
		view.Refresh = 1
		if asked.Add(1) > 2 {
			view.Status, view.Refresh = page.Completed, 0
		}
		_ = view.Page().Render(r.Context(), w)
	})
	require.NoError(t, chromedp.Run(ctx, emulate(360, false), visit(h.URL+"/receipt/9"),
		chromedp.Evaluate(`window.region = document.querySelector("[role=status]")`, nil)))
	waitForResult(ctx, t, `document.querySelector("[data-payment-status]").dataset.paymentStatus`, "processing")
	waitForResult(ctx, t, `document.querySelector("[data-payment-status]").dataset.paymentStatus`, "completed")
	waitForResult(ctx, t, `String(window.region.isConnected && window.region.textContent.includes("Платёж проведён"))`, "true")
	waitForResult(ctx, t, `document.title`, "Платёж проведён — ЭЛСОМ")
	if n := asked.Load(); n != 3 {
		t.Errorf("asked %d times", n)
	}
}

// The page warns a minute before the session ends, and a button extends the session.
func TestIdleWarning(t *testing.T) {
	h, ctx := open(t), browser(t)
	h.mux.HandleFunc("GET /idle", func(w http.ResponseWriter, r *http.Request) {
		view := page.HelpPage{Frame: holderFrame(61)}
		_ = view.Page().Render(r.Context(), w)
	})
	var stayed atomic.Int64
	h.mux.HandleFunc("GET /help", func(http.ResponseWriter, *http.Request) { stayed.Add(1) })
	require.NoError(t, chromedp.Run(ctx, emulate(360, false), visit(h.URL+"/idle")))
	waitForResult(ctx, t, `String(document.querySelector("#idle").open)`, "true")
	require.NoError(t, chromedp.Run(ctx, chromedp.Click(`[data-idle-stay]`)))
	waitForResult(ctx, t, `String(document.querySelector("#idle").open)`, "false")
	for range 50 {
		if stayed.Load() == 1 {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Error("the server received no request")
}

// When the session has ended, an open page leaves itself, also if the server can't be
// reached, so that it can't be read in an abandoned browser.
func TestIdlePageIsLeft(t *testing.T) {
	h, ctx := open(t), browser(t)
	for name, ended := range map[string]func(w http.ResponseWriter, r *http.Request){
		"ended": func(w http.ResponseWriter, r *http.Request) { _ = page.HelpPage{}.Page().Render(r.Context(), w) },
		"unreachable": func(w http.ResponseWriter, _ *http.Request) {
			if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
				_ = conn.Close()
			}
		},
	} {
		var asked atomic.Int64
		h.mux.HandleFunc("GET /"+name, func(w http.ResponseWriter, r *http.Request) {
			if asked.Add(1) > 1 {
				ended(w, r)
				return
			}
			_ = page.HelpPage{Frame: holderFrame(3)}.Page().Render(r.Context(), w)
		})
		require.NoError(t, chromedp.Run(ctx, emulate(360, false), visit(h.URL+"/"+name)))
		waitForResult(ctx, t, `String(document.querySelector(".signed-in") === null)`, "true")
		if asked.Load() < 2 {
			t.Errorf("%s: the page was never a holder's", name)
		}
	}
}

// TestBackForwardCache goes back to pages in the back-forward cache: a customer's
// page is reloaded, a visitor's is not.
func TestBackForwardCache(t *testing.T) {
	h := open(t)
	for path, person := range map[string]string{"/holder": "+996 700 123 456", "/visitor": ""} {
		h.mux.HandleFunc("GET "+path, func(w http.ResponseWriter, r *http.Request) {
			_ = page.HelpPage{Frame: layout.Frame{Person: person}}.Page().Render(r.Context(), w)
		})
	}
	goBack := chromedp.ActionFunc(func(ctx context.Context) error {
		current, entries, err := cdppage.GetNavigationHistory().Do(ctx)
		if err != nil {
			return err
		}
		// The call often fails since its page is being left; the result is checked
		// below.
		_ = cdppage.NavigateToHistoryEntry(entries[current-1].ID).Do(ctx)
		return nil
	})
	for path, want := range map[string]string{"/holder": "reloaded", "/visitor": "restored from cache"} {
		ctx := browser(t)
		require.NoError(t, chromedp.Run(ctx, emulate(360, false), visit(h.URL+path), chromedp.Evaluate(`window.kept = true`, nil), visit(h.URL+"/ru/help"), goBack))
		waitForResult(ctx, t, `location.pathname + (document.readyState === "complete" && !document.body.hidden ? window.kept ? " restored from cache" : " reloaded" : "")`, path+" "+want)
	}
}

var sheetOfPaper = regexp.MustCompile(`/Type\s*/Page\b`)

// A receipt prints on one sheet in every state and language.
func TestReceiptPrintsOnOnePage(t *testing.T) {
	h, ctx := open(t), browser(t)
	for _, state := range []string{"receipt", "receipt-processing", "receipt-refunded"} {
		for _, l := range i18n.Langs() {
			var pdf []byte
			require.NoError(t, chromedp.Run(ctx, emulate(1280, false), visit(h.URL+"/"+string(l)+"/"+state),
				chromedp.ActionFunc(func(ctx context.Context) (err error) {
					pdf, _, err = cdppage.PrintToPDF().WithPreferCSSPageSize(true).Do(ctx)
					return err
				})))
			if n := len(sheetOfPaper.FindAll(pdf, -1)); n != 1 {
				t.Errorf("%s in %s: %d pages", state, l, n)
			}
			if *sheetsDir != "" {
				write(t, *sheetsDir+"/print-"+string(l)+"-"+state+".pdf", pdf)
			}
		}
	}
}
