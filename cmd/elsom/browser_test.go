package main_test

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

// chromium is one browser for all tests; each visitor gets a profile of its own.
var chromium = sync.OnceValues(func() (context.Context, error) {
	options, err := browserOptions()
	if err != nil {
		return nil, err
	}
	allocator, _ := chromedp.NewExecAllocator(context.Background(), options...)
	browser, cancel := chromedp.NewContext(allocator)
	stopBrowser = cancel
	return browser, chromedp.Run(browser)
})

func browserOptions() ([]chromedp.ExecAllocatorOption, error) {
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

// screen is what a visitor comes with.
type screen struct {
	width   int64
	dark    bool
	scripts bool
}

func (s screen) String() string {
	scheme, scripts := "light", "scripts"
	if s.dark {
		scheme = "dark"
	}
	if !s.scripts {
		scripts = "no scripts"
	}
	return fmt.Sprintf("%d px, %s, %s", s.width, scheme, scripts)
}

// surfer is a visitor in a real browser.
type surfer struct {
	t      testing.TB
	ctx    context.Context
	base   string
	screen screen
	mu     sync.Mutex
	said   []string // what the console had to say
	loses  bool     // connections are cut on purpose
}

func newSurfer(t testing.TB, s *site, screen screen) *surfer {
	t.Helper()
	browser, err := chromium()
	if err != nil {
		t.Fatalf("Chromium: %v", err)
	}
	ctx, cancel := newProfile(browser, t)
	t.Cleanup(cancel)
	return surf(ctx, t, s.base, screen)
}

// surf makes a visitor of a window.
func surf(ctx context.Context, t testing.TB, base string, screen screen) *surfer {
	t.Helper()
	ctx, cancelTime := context.WithTimeout(ctx, 4*time.Minute)
	t.Cleanup(cancelTime)
	v := &surfer{t: t, ctx: ctx, base: base, screen: screen}
	chromedp.ListenTarget(ctx, v.listen)
	scheme := "light"
	if screen.dark {
		scheme = "dark"
	}
	v.run(
		// The browser's tools let go of the workers: one that they hold never
		// rests, and a page that it is to serve sometimes never comes.
		target.SetAutoAttach(false, false).WithFlatten(true),
		emulation.SetDeviceMetricsOverride(screen.width, 740, 1, screen.width < 600),
		emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{
			{Name: "prefers-color-scheme", Value: scheme},
			{Name: "prefers-reduced-motion", Value: "reduce"},
		}),
		emulation.SetScriptExecutionDisabled(!screen.scripts),
	)
	t.Cleanup(v.complain)
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
func (v *surfer) listen(event any) {
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
		v.said = append(v.said, said)
		v.mu.Unlock()
	}
}

func (v *surfer) complain() {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, said := range v.said {
		if v.loses && strings.Contains(said, "net::ERR_") {
			continue
		}
		v.t.Errorf("the browser's console (%s): %s", v.screen, said)
	}
}

func (v *surfer) size() string { return v.screen.String() }

func (v *surfer) run(actions ...chromedp.Action) {
	v.t.Helper()
	if err := chromedp.Run(v.ctx, actions...); err != nil {
		v.t.Fatalf("browser (%s): %v", v.screen, err)
	}
}

// ask evaluates an expression in the page. Its arguments are put in as JSON.
func (v *surfer) ask(into any, expression string, args ...any) {
	v.t.Helper()
	if err := v.try(into, expression, args...); err != nil {
		v.t.Fatalf("browser (%s) at %s: %v", v.screen, v.path(), err)
	}
}

func (v *surfer) try(into any, expression string, args ...any) error {
	for i, arg := range args {
		text, err := json.Marshal(arg)
		if err != nil {
			return err
		}
		args[i] = string(text)
	}
	await := func(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }
	return chromedp.Run(v.ctx, chromedp.Evaluate(fmt.Sprintf(expression, args...), into, await))
}

func (v *surfer) open(path string) {
	v.t.Helper()
	v.run(chromedp.Navigate(v.base + path))
}

// spot is where a control stands on the screen, once it is scrolled to.
type spot struct {
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

func (v *surfer) control(words string) spot {
	v.t.Helper()
	var at spot
	v.ask(&at, findControl, words)
	return at
}

func (v *surfer) offers(words string) bool { v.t.Helper(); return v.control(words).Found }

func (v *surfer) press(words string) {
	v.t.Helper()
	at := v.control(words)
	if !at.Found {
		v.t.Fatalf("%s (%s) offers no %q:\n%s", v.path(), v.screen, words, v.text())
	}
	if at.Covered != "" {
		v.t.Fatalf("%s (%s): %q is covered by %s", v.path(), v.screen, words, at.Covered)
	}
	if _, err := chromedp.RunResponse(v.ctx, chromedp.MouseClickXY(at.X, at.Y)); err != nil {
		v.t.Fatalf("%s (%s): %q led nowhere: %v", v.path(), v.screen, words, err)
	}
}

func (v *surfer) focus(field string) {
	v.t.Helper()
	var found bool
	v.ask(&found, `(() => { const e = document.querySelector('[name="' + %s + '"]'); if (!e) return false;
		e.scrollIntoView({block: 'center', behavior: 'instant'}); e.focus(); if (e.select) e.select(); return document.activeElement === e; })()`, field)
	if !found {
		v.t.Fatalf("%s (%s) has no field %s that can be typed into:\n%s", v.path(), v.screen, field, v.text())
	}
}

func (v *surfer) fill(field, text string) {
	v.t.Helper()
	v.focus(field)
	v.run(input.InsertText(text))
}

func (v *surfer) tick(field string) {
	v.t.Helper()
	v.focus(field)
	v.run(chromedp.KeyEvent(" "))
}

func (v *surfer) value(field string) string {
	v.t.Helper()
	var value string
	v.ask(&value, `document.querySelector('[name="' + %s + '"]').value`, field)
	return value
}

func (v *surfer) attribute(name string) string {
	v.t.Helper()
	var value *string
	v.ask(&value, `document.querySelector('[' + %[1]s + ']')?.getAttribute(%[1]s) ?? null`, name)
	if value == nil {
		v.t.Fatalf("%s (%s) has no %s:\n%s", v.path(), v.screen, name, v.text())
	}
	return *value
}

func (v *surfer) text() string {
	v.t.Helper()
	var text string
	v.ask(&text, `document.body ? document.body.innerText : ""`)
	return line(text)
}

func (v *surfer) path() string {
	v.t.Helper()
	var address string
	v.run(chromedp.Location(&address))
	at, err := url.Parse(address)
	if err != nil {
		v.t.Fatal(err)
	}
	return at.Path
}

// wait only looks: the page must refresh itself, with scripts or without. A
// look that meets the page between two states is made again.
func (v *surfer) wait(attribute, value string) {
	v.t.Helper()
	var now string
	var err error
	for begin := time.Now(); time.Since(begin) < 40*time.Second; time.Sleep(100 * time.Millisecond) {
		err = v.try(&now, `document.querySelector('[' + %[1]s + ']')?.getAttribute(%[1]s) ?? ''`, attribute)
		if err == nil && now == value {
			v.run(chromedp.WaitReady("body"))
			return
		}
	}
	v.t.Fatalf("%s (%s): %s is still %q (%v)", v.path(), v.screen, attribute, now, err)
}

var axe = sync.OnceValues(func() (string, error) {
	source, err := os.ReadFile("../../.ci/node_modules/axe-core/axe.min.js")
	if err != nil {
		return "", fmt.Errorf("axe-core is missing: run .ci/install (%w)", err)
	}
	return string(source), nil
})

// look checks what every page must be: nothing beside the screen, no text
// missing, the language told, and, where scripts run, nothing for axe to find.
func (v *surfer) look(page string) {
	v.t.Helper()
	var seen struct{ Width, Screen int64 }
	v.ask(&seen, `({Width: document.documentElement.scrollWidth, Screen: innerWidth})`)
	if seen.Width > v.screen.width || seen.Screen != v.screen.width {
		v.t.Errorf("%s (%s): the page is %d px wide on a screen of %d", page, v.screen, seen.Width, seen.Screen)
	}
	if text := v.text(); strings.ContainsAny(text, "⟨⟩") {
		v.t.Errorf("%s (%s): a text is missing: %s", page, v.screen, text)
	}
	if v.screen.scripts {
		v.accessible(page)
	}
}

func (v *surfer) accessible(page string) {
	v.t.Helper()
	source, err := axe()
	if err != nil {
		v.t.Fatal(err)
	}
	var violations []struct {
		ID, Help string
		Nodes    []struct{ HTML, FailureSummary string }
	}
	v.run(chromedp.Evaluate(source+"\n;0", nil))
	v.ask(&violations, `axe.run({runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'], resultTypes: ['violations']}).then(r => r.violations)`)
	for _, violation := range violations {
		for _, node := range violation.Nodes {
			v.t.Errorf("%s (%s): axe: %s: %s\n%s\n%s", page, v.screen, violation.ID, violation.Help, node.HTML, node.FailureSummary)
		}
	}
}
