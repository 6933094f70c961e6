package gallery_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"elsom/internal/i18n"
	"elsom/internal/testkit/require"
	"elsom/static"
	"elsom/templates/gallery"
)

// brokenNames returns what has a line break within it although it never may: "DosTek
// group", phone numbers, amounts with their currency.
const brokenNames = `(() => {
	const wrong = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), range = document.createRange();
	for (let node; (node = walker.nextNode());) {
		if (!node.parentElement.checkVisibility() || node.parentElement.closest(".unseen, svg")) continue;
		for (const m of node.data.matchAll(/DosTek\sgroup|\+996(\s\d{3}){3}|\b0\d{3}(\s\d{3}){2}|\d{1,3}(\s\d{3})*,\d\d(\s(сом|som))?/g)) {
			range.setStart(node, m.index); range.setEnd(node, m.index + m[0].length);
			const lines = new Set([...range.getClientRects()].filter((r) => r.width > 1).map((r) => Math.round(r.top)));
			if (lines.size > 1) wrong.push(m[0] + " is broken");
		}
	}
	return wrong;
})()`

// smallTargets returns what can be pressed and is less than 24 px high or wide, except
// links within a sentence.
const smallTargets = `[...document.querySelectorAll("a, button, input:not([type=hidden]), summary")].filter((e) => {
	if (!e.checkVisibility() || e.closest(".unseen, .skip") || e.matches(".unseen, .skip")) return false;
	const r = e.getBoundingClientRect();
	if (r.width >= 24 && r.height >= 24) return false;
	const text = e.parentElement.closest("p, li, label"); // a link in a sentence
	return !(e.matches("a") && text && text.innerText.trim().length > e.innerText.trim().length + 3);
}).map((e) => e.outerHTML.slice(0, 90) + " is " + Math.round(e.getBoundingClientRect().height) + " px high")`

// none checks that a script of the current page returns nothing.
func none(ctx context.Context, t *testing.T, l i18n.Lang, script string) {
	t.Helper()
	var wrong []string
	require.NoError(t, chromedp.Run(ctx, chromedp.Evaluate(script, &wrong)))
	for _, w := range wrong {
		t.Errorf("%s: %s", l, w)
	}
}

// TestLayout checks layout that depends on the screen, page by page.
func TestLayout(t *testing.T) {
	h, ctx := open(t), browser(t)
	at := func(t *testing.T, width, height int64, state, script, want string) {
		t.Helper()
		var got string
		require.NoError(t, chromedp.Run(ctx, emulate(width, false), emulation.SetDeviceMetricsOverride(width, height, 1, width < 600),
			visit(h.URL+"/ru/"+state), chromedp.Evaluate(`String(`+script+`)`, &got)))
		if got != want {
			t.Errorf("%s at %d px: %s is %s, want %s", state, width, script, got, want)
		}
	}
	t.Run("the pay bar is static and as wide as its card from 48rem", func(t *testing.T) {
		at(t, 768, 800, "check", `getComputedStyle(document.querySelector(".actions-near")).position`, "static")
		at(t, 360, 740, "check", `getComputedStyle(document.querySelector(".actions-near")).position`, "sticky")
		at(t, 768, 800, "check", `document.querySelector(".actions-near").clientWidth - document.querySelector(".slip").offsetWidth`, "0")
	})
	t.Run("settings, help and filling have two columns at 1280 px", func(t *testing.T) {
		for _, state := range []string{"settings", "help", "fill", "cabinet"} {
			const columns = `getComputedStyle(document.querySelector(".columns, .cabinet")).gridTemplateColumns.split(" ").length`
			at(t, 1280, 800, state, columns, "2")
			at(t, 360, 740, state, columns, "1")
		}
	})
	t.Run("nothing important is below 800 px at 1280 px", func(t *testing.T) {
		for _, state := range []string{"phone", "login", "signup", "cabinet", "cabinet-new", "services", "category", "pay", "check", "transfer", "transfer-check", "help", "fill-back", "close"} {
			at(t, 1280, 800, state, `[...document.querySelectorAll("main .button:not(.button-quiet, .button-plain), main .summary, main h1, main .call, main .more summary")]
				.filter((e) => e.checkVisibility() && e.getBoundingClientRect().bottom > 800).map((e) => e.innerText)`, "")
		}
	})
	t.Run("the old amount of a transition is hidden", func(t *testing.T) {
		at(t, 360, 740, "check", `[...document.styleSheets].flatMap(function all(r) { return [...(r.cssRules || [])].flatMap((x) => [x.cssText, ...all(x)]); }).some((r) =>
			/^::view-transition-old\(root\), ::view-transition-old\(amount\) \{ display: none; \}$/.test(r))`, "true")
	})
	t.Run("the current place is outlined in forced colors", func(t *testing.T) {
		require.NoError(t, chromedp.Run(ctx, emulate(1280, false), visit(h.URL+"/ru/settings"), emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "forced-colors", Value: "active"}})))
		var bare []string
		require.NoError(t, chromedp.Run(ctx, chromedp.Evaluate(`[...document.querySelectorAll("[aria-current]")].filter((e) => getComputedStyle(e).outlineStyle !== "solid").map((e) => e.outerHTML)`, &bare)))
		if len(bare) > 0 {
			t.Errorf("not outlined: %q", bare)
		}
	})
	t.Run("figures are tabular in columns and proportional in text", func(t *testing.T) {
		const figures = `getComputedStyle(document.querySelector("%s")).fontVariantNumeric`
		at(t, 360, 740, "history", fmt.Sprintf(figures, ".row-sum"), "tabular-nums")
		at(t, 360, 740, "check", fmt.Sprintf(figures, ".facts dd"), "tabular-nums")
		at(t, 360, 740, "fill", fmt.Sprintf(figures, "main > p"), "normal")
	})
	t.Run("digits have a preloaded font of their own", func(t *testing.T) {
		at(t, 360, 740, "cabinet", `[...document.querySelectorAll("link[rel=preload]")].map((l) => l.href.match(/onest-(\w+)/)[1])`, "basic,cyrillic")
		at(t, 360, 740, "cabinet", `[...document.fonts].filter((f) => f.status === "loaded").map((f) => f.unicodeRange.slice(0, 5))`, "U+20-,U+301")
		at(t, 360, 740, "cabinet", `performance.getEntriesByType("resource").some((r) => r.name.includes("onest-latin"))`, "false")
	})
}

// TestFocusIsNotCovered presses Tab through pages with fixed parts: what has the focus
// is neither under the tab bar nor under the pay bar.
func TestFocusIsNotCovered(t *testing.T) {
	h, ctx := open(t), browser(t)
	for _, state := range []string{"settings", "history", "check", "cabinet", "help", "transfer-check"} {
		require.NoError(t, chromedp.Run(ctx, emulate(360, false), emulation.SetDeviceMetricsOverride(360, 500, 1, true), visit(h.URL+"/ru/"+state)))
		for range 40 {
			var covered string
			require.NoError(t, chromedp.Run(ctx, chromedp.KeyEvent("\t"), chromedp.Evaluate(`(() => {
				const e = document.activeElement, r = e.getBoundingClientRect();
				if (e === document.body || e.closest(".places, .actions-near, .top") || r.height > innerHeight) return "";
				const on = document.elementFromPoint(r.left + r.width / 2, r.top + r.height / 2);
				return on && (e.contains(on) || on.contains(e)) ? "" : e.outerHTML.slice(0, 80);
			})()`, &covered)))
			if covered != "" {
				t.Errorf("%s: %s is covered", state, covered)
			}
		}
	}
}

var mediaBox = regexp.MustCompile(`/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]`)

// TestPrint checks paper sizes and that long lists break inside.
func TestPrint(t *testing.T) {
	h, ctx := open(t), browser(t)
	for state, want := range map[string]struct{ width, pages string }{
		"receipt": {"420", "1"}, "history": {"594", "1"}, "messages": {"594", "1"},
	} {
		var pdf []byte
		require.NoError(t, chromedp.Run(ctx, emulate(1280, false), visit(h.URL+"/ru/"+state), chromedp.ActionFunc(func(ctx context.Context) (err error) {
			pdf, _, err = cdppage.PrintToPDF().WithPreferCSSPageSize(true).Do(ctx)
			return err
		})))
		boxes := mediaBox.FindAllSubmatch(pdf, -1)
		if len(boxes) == 0 || !strings.HasPrefix(string(boxes[0][1]), want.width) || fmt.Sprint(len(boxes)) != want.pages {
			t.Errorf("%s prints on %q", state, boxes)
		}
	}
	var got string
	require.NoError(t, chromedp.Run(ctx, visit(h.URL+"/ru/messages"), emulation.SetEmulatedMedia().WithMedia("print"),
		chromedp.Evaluate(`getComputedStyle(document.querySelector(".block")).breakInside + " " + getComputedStyle(document.querySelector(".row")).breakInside`, &got)))
	if got != "auto avoid" {
		t.Errorf("a list and its row break: %s", got)
	}
}

// TestSizesOfPages bounds what a page takes on a slow connection.
func TestSizesOfPages(t *testing.T) {
	packed := func(b []byte) int {
		var out bytes.Buffer
		w := gzip.NewWriter(&out)
		_, _ = w.Write(b)
		_ = w.Close()
		return out.Len()
	}
	file := func(name string) int {
		h := open(t)
		var body []byte
		response, err := h.Client().Get(h.URL + static.Path(name))
		require.NoError(t, err)
		defer response.Body.Close()
		buffer := &bytes.Buffer{}
		_, err = buffer.ReadFrom(response.Body)
		require.NoError(t, err)
		body = buffer.Bytes()
		return packed(body)
	}
	scripts := file("js/elsom.js") + file("js/app.js")
	if scripts > 5<<10 {
		t.Errorf("the scripts have %d bytes", scripts)
	}
	rest := scripts + file("css/elsom.css") + file("icons/icon.svg") + file("icons/ornament.svg") + file("icons/band.svg")
	for _, s := range gallery.States() {
		if s.Name == "offer" { // a document
			continue
		}
		for _, l := range i18n.Langs() {
			var page bytes.Buffer
			require.NoError(t, s.Render(l).Render(context.Background(), &page))
			n := packed(page.Bytes())
			if n > 6<<10 || n+rest > 30<<10 {
				t.Errorf("%s %s has %d bytes, %d with style, scripts and pictures", l, s.Name, n, n+rest)
			}
		}
	}
}

// TestLayoutDoesNotShift measures the layout shift of pages while fonts load.
func TestLayoutDoesNotShift(t *testing.T) {
	h, ctx := open(t), browser(t)
	for _, state := range []string{"phone", "cabinet", "cabinet-new", "services", "pay", "check", "receipt", "history", "settings", "help", "fill"} {
		for _, width := range []int64{360, 1280} {
			var shift float64
			require.NoError(t, chromedp.Run(ctx, emulate(width, false), visit(h.URL+"/ky/"+state), chromedp.Evaluate(`new Promise((resolve) => {
				let sum = 0;
				new PerformanceObserver((list) => { for (const e of list.getEntries()) sum += e.value; }).observe({ type: "layout-shift", buffered: true });
				setTimeout(() => resolve(sum), 150);
			})`, &shift, awaitPromise)))
			if shift >= 0.02 {
				t.Errorf("%s at %d px shifts by %.3f", state, width, shift)
			}
		}
	}
}
