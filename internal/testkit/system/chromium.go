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

	"elsom/internal/testkit/webclient"
)

// sharedBrowser is one Chromium for all tests of the process; each Tab has a
// profile of its own.
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

// BrowserOptions returns the options with which tests start Chromium.
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

// Screen is the setting of a Tab.
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

// Tab is a Page in Chromium.
type Tab struct {
	T                   testing.TB
	Ctx                 context.Context
	base                string
	Screen              Screen
	mu                  sync.Mutex
	console             []string // warnings, errors and exceptions of the console
	IgnoreNetworkErrors bool     // for tests that cut connections
}

// NewTab opens a tab with cookies of its own.
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

// NewTabIn returns a tab of an open window. Errors in its console fail the test.
func NewTabIn(ctx context.Context, t testing.TB, base string, screen Screen) *Tab {
	t.Helper()
	ctx, cancelTime := context.WithTimeout(ctx, 4*time.Minute)
	t.Cleanup(cancelTime)
	tab := &Tab{T: t, Ctx: ctx, base: base, Screen: screen}
	chromedp.ListenTarget(ctx, tab.listen)
	scheme := "light"
	if screen.Dark {
		scheme = "dark"
	}
	tab.Run(
		// Without auto-attach to service workers: a worker under the debugger is
		// never stopped, and sometimes does not serve a page.
		target.SetAutoAttach(false, false).WithFlatten(true),
		emulation.SetDeviceMetricsOverride(screen.Width, 740, 1, screen.Width < 600),
		emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{
			{Name: "prefers-color-scheme", Value: scheme},
			{Name: "prefers-reduced-motion", Value: "reduce"},
		}),
		emulation.SetScriptExecutionDisabled(!screen.Scripts),
	)
	t.Cleanup(tab.reportConsole)
	return tab
}

// newProfile opens a window with cookies of its own. (Chromium refuses a tab in a
// profile without a window.)
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

// listen records what a page must not log. Responses with a status of 4xx are
// logged too, but are no error of the page.
func (tab *Tab) listen(event any) {
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
		tab.mu.Lock()
		tab.console = append(tab.console, said)
		tab.mu.Unlock()
	}
}

func (tab *Tab) reportConsole() {
	tab.mu.Lock()
	defer tab.mu.Unlock()
	for _, said := range tab.console {
		if tab.IgnoreNetworkErrors && strings.Contains(said, "net::ERR_") {
			continue
		}
		tab.T.Errorf("the browser's console (%s): %s", tab.Screen, said)
	}
}

// Describe implements Page.
func (tab *Tab) Describe() string { return tab.Screen.String() }

// Run runs actions in the tab.
func (tab *Tab) Run(actions ...chromedp.Action) {
	tab.T.Helper()
	if err := chromedp.Run(tab.Ctx, actions...); err != nil {
		tab.T.Fatalf("browser (%s): %v", tab.Screen, err)
	}
}

// Eval evaluates an expression in the page into a value. The arguments are
// inserted into the expression as JSON.
func (tab *Tab) Eval(into any, expression string, args ...any) {
	tab.T.Helper()
	if err := tab.TryEval(into, expression, args...); err != nil {
		tab.T.Fatalf("browser (%s) at %s: %v", tab.Screen, tab.Path(), err)
	}
}

// TryEval is Eval that returns the error.
func (tab *Tab) TryEval(into any, expression string, args ...any) error {
	for i, arg := range args {
		text, err := json.Marshal(arg)
		if err != nil {
			return err
		}
		args[i] = string(text)
	}
	await := func(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }
	return chromedp.Run(tab.Ctx, chromedp.Evaluate(fmt.Sprintf(expression, args...), into, await))
}

// Open implements Page.
func (tab *Tab) Open(path string) {
	tab.T.Helper()
	tab.Load(tab.base + path)
}

// Position is the center of a control on the screen, after scrolling to it.
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

// Control finds the first link or button whose name begins with words.
func (tab *Tab) Control(words string) Position {
	tab.T.Helper()
	var at Position
	tab.Eval(&at, findControl, webclient.OneLine(words))
	return at
}

// Offers implements Page.
func (tab *Tab) Offers(words string) bool { tab.T.Helper(); return tab.Control(words).Found }

// Press implements Page.
func (tab *Tab) Press(words string) {
	tab.T.Helper()
	err := tab.whileRefreshing(func() error {
		at := tab.Control(words)
		if !at.Found {
			tab.T.Fatalf("%s (%s) offers no %q:\n%s", tab.Path(), tab.Screen, words, tab.Text())
		}
		if at.Covered != "" {
			tab.T.Fatalf("%s (%s): %q is covered by %s", tab.Path(), tab.Screen, words, at.Covered)
		}
		_, err := chromedp.RunResponse(tab.Ctx, chromedp.MouseClickXY(at.X, at.Y))
		return err
	})
	if err != nil {
		tab.T.Fatalf("%s (%s): %q loaded no page: %v", tab.Path(), tab.Screen, words, err)
	}
}

// Focus puts the focus on a field and selects its text.
func (tab *Tab) Focus(field string) {
	tab.T.Helper()
	var found bool
	tab.Eval(&found, `(() => { const e = document.querySelector('[name="' + %s + '"]'); if (!e) return false;
		e.scrollIntoView({block: 'center', behavior: 'instant'}); e.focus(); if (e.select) e.select(); return document.activeElement === e; })()`, field)
	if !found {
		tab.T.Fatalf("%s (%s) has no field %s that can be typed into:\n%s", tab.Path(), tab.Screen, field, tab.Text())
	}
}

// Fill implements Page.
func (tab *Tab) Fill(field, text string) {
	tab.T.Helper()
	tab.Focus(field)
	tab.Run(input.InsertText(text))
}

// Tick implements Page.
func (tab *Tab) Tick(field string) {
	tab.T.Helper()
	tab.Focus(field)
	tab.Run(chromedp.KeyEvent(" "))
}

// Value implements Page.
func (tab *Tab) Value(field string) string {
	tab.T.Helper()
	var value string
	tab.Eval(&value, `document.querySelector('[name="' + %s + '"]').value`, field)
	return value
}

// Attribute implements Page.
func (tab *Tab) Attribute(name string) string {
	tab.T.Helper()
	var value *string
	tab.Eval(&value, `document.querySelector('[' + %[1]s + ']')?.getAttribute(%[1]s) ?? null`, name)
	if value == nil {
		tab.T.Fatalf("%s (%s) has no %s:\n%s", tab.Path(), tab.Screen, name, tab.Text())
	}
	return *value
}

// Text implements Page.
func (tab *Tab) Text() string {
	tab.T.Helper()
	var text string
	tab.Eval(&text, `document.body ? document.body.innerText : ""`)
	return OneLine(text)
}

// Path implements Page.
func (tab *Tab) Path() string {
	tab.T.Helper()
	var address string
	tab.Run(chromedp.Location(&address))
	at, err := url.Parse(address)
	if err != nil {
		tab.T.Fatal(err)
	}
	return at.Path
}

// WaitAttribute implements Page. It only reads: the page must refresh itself, with
// scripts or without.
func (tab *Tab) WaitAttribute(attribute, value string) {
	tab.T.Helper()
	var now string
	var err error
	for begin := time.Now(); time.Since(begin) < 40*time.Second; time.Sleep(100 * time.Millisecond) {
		err = tab.TryEval(&now, `document.querySelector('[' + %[1]s + ']')?.getAttribute(%[1]s) ?? ''`, attribute)
		if err == nil && now == value {
			tab.Run(chromedp.WaitReady("body"))
			return
		}
	}
	tab.T.Fatalf("%s (%s): %s is still %q (%v)", tab.Path(), tab.Screen, attribute, now, err)
}

// NewBrowser starts a browser for one test. One that exits during its start, as on
// an overloaded machine, is started again.
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
