package gallery_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"elsom/internal/i18n"
	"elsom/static"
	"elsom/templates/gallery"
	"elsom/templates/layout"
)

// policy is the site's content security policy.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; " +
	"connect-src 'self'; manifest-src 'self'; worker-src 'self'; form-action 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'"

// galleryServer serves the gallery: /LANG/STATE, the static files, and added
// pictures.
type galleryServer struct {
	*httptest.Server
	mux      *http.ServeMux
	mu       sync.Mutex
	pictures map[string][]byte
	sheets   map[string]string
}

func open(t *testing.T) *galleryServer {
	t.Helper()
	h := &galleryServer{pictures: map[string][]byte{}, sheets: map[string]string{}}
	mux := http.NewServeMux()
	h.mux = mux
	mux.Handle(static.Prefix, static.Handler())
	for _, s := range gallery.States() {
		for _, l := range i18n.Langs() {
			mux.HandleFunc("GET /"+string(l)+"/"+s.Name, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Security-Policy", policy)
				w.Header().Set("Content-Type", "text/html; charset=utf-8")
				_ = s.Render(l).Render(r.Context(), w)
			})
		}
	}
	mux.HandleFunc("GET /picture/{name}", func(w http.ResponseWriter, r *http.Request) {
		h.mu.Lock()
		defer h.mu.Unlock()
		w.Header().Set("Content-Type", "image/png")
		_, _ = w.Write(h.pictures[r.PathValue("name")])
	})
	mux.HandleFunc("GET /sheet/{name}", func(w http.ResponseWriter, r *http.Request) {
		h.mu.Lock()
		defer h.mu.Unlock()
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte(h.sheets[r.PathValue("name")]))
	})
	h.Server = httptest.NewServer(mux)
	t.Cleanup(h.Close)
	return h
}

func holderFrame(idle int) layout.Frame {
	return layout.Frame{Person: "+996\u00a0700\u00a0123\u00a0456", IdleSeconds: idle}
}

// browser starts Chromium for the test and returns a page in it.
func browser(t *testing.T) context.Context {
	t.Helper()
	var program string
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			program = found
			break
		}
	}
	if program == "" {
		t.Fatal("no Chromium on this machine (Debian: apt-get install chromium)")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(program), chromedp.DisableGPU, chromedp.WSURLReadTimeout(time.Minute),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("hide-scrollbars", true), chromedp.Flag("no-pings", true),
	)
	if os.Getuid() == 0 {
		options = append(options, chromedp.NoSandbox)
	}
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(stop)
	ctx, cancel := chromedp.NewContext(allocator)
	t.Cleanup(cancel)
	if err := chromedp.Run(ctx); err != nil {
		t.Fatalf("Chromium: %v", err)
	}
	return ctx
}

// console collects errors and warnings of pages.
func console(ctx context.Context) func() []string {
	var mu sync.Mutex
	var entries []string
	chromedp.ListenTarget(ctx, func(event any) {
		e, ok := event.(*log.EventEntryAdded)
		if !ok || e.Entry.Level == log.LevelInfo || e.Entry.Level == log.LevelVerbose {
			return
		}
		if strings.Contains(e.Entry.URL, "favicon.ico") {
			return
		}
		mu.Lock()
		defer mu.Unlock()
		entries = append(entries, fmt.Sprintf("%s: %s (%s)", e.Entry.Source, e.Entry.Text, e.Entry.URL))
	})
	return func() []string {
		mu.Lock()
		defer mu.Unlock()
		result := entries
		entries = nil
		return result
	}
}

// emulate sets the width of the screen and the color scheme.
func emulate(width int64, dark bool) chromedp.Tasks {
	return chromedp.Tasks{
		emulation.SetDeviceMetricsOverride(width, 740, 1, width < 600),
		scheme(dark),
	}
}

func scheme(dark bool) chromedp.Action {
	name := "light"
	if dark {
		name = "dark"
	}
	return emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: name},
		{Name: "prefers-reduced-motion", Value: "reduce"},
	})
}

// visit opens an address and waits for its fonts.
func visit(address string) chromedp.Tasks {
	return chromedp.Tasks{
		chromedp.Navigate(address),
		chromedp.Evaluate(`document.fonts.ready.then(() => true)`, nil, awaitPromise),
	}
}

// shoot takes a screenshot of the whole page. The viewport is enlarged to the page's
// length, so that elements fixed to its end are at the end.
func shoot(width, least int64, scale float64, to *[]byte) chromedp.Action {
	return chromedp.ActionFunc(func(ctx context.Context) error {
		var height int64
		if err := chromedp.Evaluate(`document.documentElement.scrollHeight`, &height).Do(ctx); err != nil {
			return err
		}
		height = max(height, least)
		if err := emulation.SetDeviceMetricsOverride(width, height, scale, width < 600).Do(ctx); err != nil {
			return err
		}
		return capture(to).Do(ctx)
	})
}

// capture takes a screenshot of the viewport.
func capture(to *[]byte) chromedp.Action {
	return chromedp.ActionFunc(func(ctx context.Context) error {
		data, err := page.CaptureScreenshot().WithFormat(page.CaptureScreenshotFormatPng).Do(ctx)
		*to = data
		return err
	})
}
