package system

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
)

// sharedBrowser is one browser for all tests; each visitor gets a profile of its own.
var sharedBrowser = sync.OnceValues(func() (context.Context, error) {
	options, err := BrowserOptions()
	if err != nil {
		return nil, err
	}
	allocator, _ := chromedp.NewExecAllocator(context.Background(), options...)
	browser, cancel := chromedp.NewContext(allocator)
	stopBrowser = cancel
	return browser, chromedp.Run(browser)
})

func BrowserOptions() ([]chromedp.ExecAllocatorOption, error) {
	var path string
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		return nil, fmt.Errorf("no Chromium on this machine (Debian: apt-get install chromium)")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path),
		chromedp.DisableGPU,
		chromedp.NoFirstRun,
		chromedp.WSURLReadTimeout(time.Minute),
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("disable-domain-reliability", true),
		chromedp.Flag("disable-features", "Translate,OptimizationHints,MediaRouter"),
		chromedp.Flag("no-pings", true),
	)
	if os.Getuid() == 0 {
		options = append(options, chromedp.NoSandbox)
	}
	return options, nil
}

var stopBrowser func()

func closeBrowser() {
	if stopBrowser != nil {
		stopBrowser()
	}
}

// Screen is what a visitor comes with.
type Screen struct {
	Width   int64
	Dark    bool
	Scripts bool
}

func (s Screen) String() string {
	scheme, scripts := "light", "scripts"
	if s.Dark {
		scheme = "dark"
	}
	if !s.Scripts {
		scripts = "no scripts"
	}
	return fmt.Sprintf("%d px, %s, %s", s.Width, scheme, scripts)
}

// Tab is a visitor in a real browser.
type Tab struct {
	T                   testing.TB
	Ctx                 context.Context
	base                string
	Screen              Screen
	mu                  sync.Mutex
	console             []string // what the console had to say
	IgnoreNetworkErrors bool     // connections are cut on purpose
}

func NewTab(t testing.TB, s *Site, screen Screen) *Tab {
	t.Helper()
	browser, err := sharedBrowser()
	if err != nil {
		t.Fatalf("Chromium: %v", err)
	}
	ctx, cancel := newProfile(browser, t)
	t.Cleanup(cancel)
	return NewTabIn(ctx, t, s.BaseURL, screen)
}

// NewTabIn makes a visitor of a window.
func NewTabIn(ctx context.Context, t testing.TB, base string, screen Screen) *Tab {
	t.Helper()
	ctx, cancelTime := context.WithTimeout(ctx, 4*time.Minute)
	t.Cleanup(cancelTime)
	v := &Tab{T: t, Ctx: ctx, base: base, Screen: screen}
	chromedp.ListenTarget(ctx, v.listen)
	scheme := "light"
	if screen.Dark {
		scheme = "dark"
	}
	v.Run(
		// The browser's tools let go of the workers: one that they hold never
		// rests, and a page that it is to serve sometimes never comes.
		target.SetAutoAttach(false, false).WithFlatten(true),
		emulation.SetDeviceMetricsOverride(screen.Width, 740, 1, screen.Width < 600),
		emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{
			{Name: "prefers-color-scheme", Value: scheme},
			{Name: "prefers-reduced-motion", Value: "reduce"},
		}),
		emulation.SetScriptExecutionDisabled(!screen.Scripts),
	)
	t.Cleanup(v.reportConsole)
	return v
}

// newProfile opens a window with cookies of its own. (A new profile has no
// window yet, and a tab without one is refused.)
func newProfile(browser context.Context, t testing.TB) (context.Context, context.CancelFunc) {
	t.Helper()
	all := cdp.WithExecutor(browser, chromedp.FromContext(browser).Browser)
	profile, err := target.CreateBrowserContext().WithDisposeOnDetach(true).Do(all)
	if err != nil {
		t.Fatalf("Chromium: %v", err)
	}
	window, err := target.CreateTarget("about:blank").WithBrowserContextID(profile).WithNewWindow(true).Do(all)
	if err != nil {
		t.Fatalf("Chromium: %v", err)
	}
	ctx, cancel := chromedp.NewContext(browser, chromedp.WithTargetID(window))
	return ctx, func() {
		cancel()
		_ = target.DisposeBrowserContext(profile).Do(all)
	}
}

// listen keeps what a page must not say. That a document was answered 4xx is
// told as well, and is not the page's fault.
func (v *Tab) listen(event any) {
	var said string
	switch e := event.(type) {
	case *log.EventEntryAdded:
		if e.Entry.Source == log.SourceNetwork && !strings.Contains(e.Entry.URL, "/static/") {
			return
		}
		if e.Entry.Level == log.LevelInfo || e.Entry.Level == log.LevelVerbose {
			return
		}
		said = fmt.Sprintf("%s %s: %s (%s)", e.Entry.Source, e.Entry.Level, e.Entry.Text, e.Entry.URL)
	case *runtime.EventExceptionThrown:
		said = "exception: " + e.ExceptionDetails.Error()
	case *runtime.EventConsoleAPICalled:
		if e.Type == runtime.APITypeError || e.Type == runtime.APITypeWarning {
			said = "console: " + string(e.Type)
		}
	}
	if said != "" {
		v.mu.Lock()
		v.console = append(v.console, said)
		v.mu.Unlock()
	}
}

func (v *Tab) reportConsole() {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, said := range v.console {
		if v.IgnoreNetworkErrors && strings.Contains(said, "net::ERR_") {
			continue
		}
		v.T.Errorf("the browser's console (%s): %s", v.Screen, said)
	}
}

func (v *Tab) Describe() string { return v.Screen.String() }

func (v *Tab) Run(actions ...chromedp.Action) {
	v.T.Helper()
	if err := chromedp.Run(v.Ctx, actions...); err != nil {
		v.T.Fatalf("browser (%s): %v", v.Screen, err)
	}
}

// Eval evaluates an expression in the page. Its arguments are put in as JSON.
func (v *Tab) Eval(into any, expression string, args ...any) {
	v.T.Helper()
	if err := v.TryEval(into, expression, args...); err != nil {
		v.T.Fatalf("browser (%s) at %s: %v", v.Screen, v.Path(), err)
	}
}

func (v *Tab) TryEval(into any, expression string, args ...any) error {
	for i, arg := range args {
		text, err := json.Marshal(arg)
		if err != nil {
			return err
		}
		args[i] = string(text)
	}
	await := func(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }
	return chromedp.Run(v.Ctx, chromedp.Evaluate(fmt.Sprintf(expression, args...), into, await))
}

func (v *Tab) Open(path string) {
	v.T.Helper()
	v.Run(chromedp.Navigate(v.base + path))
}

// Position is where a control stands on the screen, once it is scrolled to.
type Position struct {
	X, Y    float64
	Found   bool
	Covered string
}

const findControl = `(() => {
	const said = e => { const c = e.cloneNode(true); c.querySelectorAll('[aria-hidden=true]').forEach(h => h.remove()); return c.textContent; };
	const name = e => (e.getAttribute('aria-label') || said(e)).replace(/\s+/g, ' ').trim();
	const shown = e => e.checkVisibility({visibilityProperty: true}) && e.getBoundingClientRect().width > 1 && e.getAttribute('aria-hidden') !== 'true';
	const control = [...document.querySelectorAll('a[href], button, input[type=submit]')].find(e => shown(e) && name(e).startsWith(%s));
	if (!control) return {Found: false};
	control.scrollIntoView({block: 'center', behavior: 'instant'});
	const box = control.getClientRects()[0];
	const x = box.left + box.width / 2, y = box.top + box.height / 2;
	const top = document.elementFromPoint(x, y);
	return {Found: true, X: x, Y: y, Covered: top && (control.contains(top) || top.contains(control)) ? '' : top ? top.outerHTML.slice(0, 200) : 'nothing'};
})()`

func (v *Tab) Control(words string) Position {
	v.T.Helper()
	var at Position
	v.Eval(&at, findControl, words)
	return at
}

func (v *Tab) Offers(words string) bool { v.T.Helper(); return v.Control(words).Found }

func (v *Tab) Press(words string) {
	v.T.Helper()
	at := v.Control(words)
	if !at.Found {
		v.T.Fatalf("%s (%s) offers no %q:\n%s", v.Path(), v.Screen, words, v.Text())
	}
	if at.Covered != "" {
		v.T.Fatalf("%s (%s): %q is covered by %s", v.Path(), v.Screen, words, at.Covered)
	}
	if _, err := chromedp.RunResponse(v.Ctx, chromedp.MouseClickXY(at.X, at.Y)); err != nil {
		v.T.Fatalf("%s (%s): %q led nowhere: %v", v.Path(), v.Screen, words, err)
	}
}

func (v *Tab) Focus(field string) {
	v.T.Helper()
	var found bool
	v.Eval(&found, `(() => { const e = document.querySelector('[name="' + %s + '"]'); if (!e) return false;
		e.scrollIntoView({block: 'center', behavior: 'instant'}); e.focus(); if (e.select) e.select(); return document.activeElement === e; })()`, field)
	if !found {
		v.T.Fatalf("%s (%s) has no field %s that can be typed into:\n%s", v.Path(), v.Screen, field, v.Text())
	}
}

func (v *Tab) Fill(field, text string) {
	v.T.Helper()
	v.Focus(field)
	v.Run(input.InsertText(text))
}

func (v *Tab) Tick(field string) {
	v.T.Helper()
	v.Focus(field)
	v.Run(chromedp.KeyEvent(" "))
}

func (v *Tab) Value(field string) string {
	v.T.Helper()
	var value string
	v.Eval(&value, `document.querySelector('[name="' + %s + '"]').value`, field)
	return value
}

func (v *Tab) Attribute(name string) string {
	v.T.Helper()
	var value *string
	v.Eval(&value, `document.querySelector('[' + %[1]s + ']')?.getAttribute(%[1]s) ?? null`, name)
	if value == nil {
		v.T.Fatalf("%s (%s) has no %s:\n%s", v.Path(), v.Screen, name, v.Text())
	}
	return *value
}

func (v *Tab) Text() string {
	v.T.Helper()
	var text string
	v.Eval(&text, `document.body ? document.body.innerText : ""`)
	return OneLine(text)
}

func (v *Tab) Path() string {
	v.T.Helper()
	var address string
	v.Run(chromedp.Location(&address))
	at, err := url.Parse(address)
	if err != nil {
		v.T.Fatal(err)
	}
	return at.Path
}

// WaitAttribute only looks: the page must refresh itself, with scripts or without. A
// look that meets the page between two states is made again.
func (v *Tab) WaitAttribute(attribute, value string) {
	v.T.Helper()
	var now string
	var err error
	for begin := time.Now(); time.Since(begin) < 40*time.Second; time.Sleep(100 * time.Millisecond) {
		err = v.TryEval(&now, `document.querySelector('[' + %[1]s + ']')?.getAttribute(%[1]s) ?? ''`, attribute)
		if err == nil && now == value {
			v.Run(chromedp.WaitReady("body"))
			return
		}
	}
	v.T.Fatalf("%s (%s): %s is still %q (%v)", v.Path(), v.Screen, attribute, now, err)
}

// NewBrowser starts a browser for one test. One that ends while it starts, as
// on a crowded machine, is started again.
func NewBrowser(t *testing.T, options []chromedp.ExecAllocatorOption) context.Context {
	t.Helper()
	var err error
	for range 3 {
		allocator, stop := chromedp.NewExecAllocator(context.Background(), append(options, chromedp.WSURLReadTimeout(time.Minute))...)
		ctx, cancel := chromedp.NewContext(allocator)
		if err = chromedp.Run(ctx); err == nil {
			t.Cleanup(stop)
			t.Cleanup(cancel)
			return ctx
		}
		cancel()
		stop()
	}
	t.Fatalf("Chromium: %v", err)
	return nil
}
