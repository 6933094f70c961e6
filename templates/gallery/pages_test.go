package gallery_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"elsom/internal/i18n"
	"elsom/internal/testkit/require"
	"elsom/templates/gallery"
)

// axePath is the path of axe-core in node_modules.
const axePath = "../../.ci/node_modules/axe-core/axe.min.js"

const axeRun = `axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]}).then(r =>
	r.violations.flatMap(v => v.nodes.map(n => v.id + ": " + n.target.join(" ") + ": " + n.failureSummary)))`

// TestPages checks every page and state in Chromium: no axe violations in light and
// dark, an empty console, no horizontal overflow on the narrowest screen and on a
// tablet in any language, no missing message, nothing broken or too small to press.
func TestPages(t *testing.T) {
	axe, err := os.ReadFile(axePath)
	if err != nil {
		t.Fatalf("axe-core is not installed: npm ci in .ci (%v)", err)
	}
	h, ctx := open(t), browser(t)
	consoleEntries := console(ctx)
	for _, s := range gallery.States() {
		t.Run(s.Name, func(t *testing.T) {
			for _, l := range i18n.Langs() {
				require.NoError(t, chromedp.Run(ctx, emulate(320, false), visit(h.URL+"/"+string(l)+"/"+s.Name)))
				fits(ctx, t, l, 320)
				require.NoError(t, chromedp.Run(ctx, emulate(360, false)))
				none(ctx, t, l, brokenNames)
				none(ctx, t, l, smallTargets)
				for _, width := range []int64{768, 820, 960, 1024} {
					require.NoError(t, chromedp.Run(ctx, emulate(width, false)))
					fits(ctx, t, l, width)
				}
			}
			// English was last; axe checks the Russian page.
			require.NoError(t, chromedp.Run(ctx, emulate(320, false), visit(h.URL+"/ru/"+s.Name), chromedp.Evaluate(string(axe), nil)))
			for _, dark := range []bool{false, true} {
				var wrong []string
				require.NoError(t, chromedp.Run(ctx, scheme(dark), chromedp.Evaluate(axeRun, &wrong, awaitPromise)))
				for _, w := range wrong {
					t.Errorf("axe, dark %v: %s", dark, w)
				}
			}
			for _, entry := range consoleEntries() {
				t.Errorf("console: %s", entry)
			}
		})
	}
}

func fits(ctx context.Context, t *testing.T, l i18n.Lang, width int64) {
	t.Helper()
	var out struct {
		Wide  int64
		Which []string
		Text  string
		Title string
	}
	require.NoError(t, chromedp.Run(ctx, chromedp.Evaluate(fmt.Sprintf(`({
		Wide: document.documentElement.scrollWidth,
		Which: [...document.querySelectorAll("main *, header *, footer *")].filter(e =>
			!e.closest(".unseen, svg") && getComputedStyle(e).position !== "absolute" && e.getBoundingClientRect().right > %d.5).map(e =>
			e.tagName + "." + e.className).slice(0, 3),
		Text: document.body.innerText, Title: document.title})`, width), &out)))
	if out.Wide > width || len(out.Which) > 0 {
		t.Errorf("%s: %d px wide on a screen of %d: %s", l, out.Wide, width, strings.Join(out.Which, ", "))
	}
	if strings.ContainsAny(out.Text+out.Title, "⟨⟩") {
		t.Errorf("%s: a message key is shown instead of its text: %s", l, excerpt(out.Title+out.Text))
	}
}

// TestNarrowRows checks the rows of operations on narrow screens: the last digits of
// an account are visible, a number is on one line, and nothing overlaps the sum.
func TestNarrowRows(t *testing.T) {
	h, ctx := open(t), browser(t)
	for _, page := range []string{"/cabinet"} {
		for _, width := range []int64{320, 360} {
			var rows, phones int
			var wrong []string
			require.NoError(t, chromedp.Run(ctx, emulate(width, false), visit(h.URL+"/ru"+page),
				chromedp.Evaluate(`document.querySelectorAll(".row-clip > :nth-child(2)").length`, &rows),
				chromedp.Evaluate(`document.querySelectorAll(".row-phone").length`, &phones),
				chromedp.Evaluate(`[...document.querySelectorAll(".row-clip > :last-child")].filter(e => e.scrollWidth > e.clientWidth).concat(
					[...document.querySelectorAll(".row-phone")].filter(e => {
						const sum = e.nextElementSibling.getBoundingClientRect(), own = e.getBoundingClientRect()
						return own.height > 30 || (own.top < sum.bottom && sum.top < own.bottom && own.right > sum.left)
					})).map(e => e.innerText)`, &wrong)))
			if rows == 0 || phones == 0 || len(wrong) > 0 {
				t.Errorf("%s at %d px: %d rows with an account, %d with a number, badly shown: %q", page, width, rows, phones, wrong)
			}
		}
	}
}

func excerpt(text string) string {
	_, rest, _ := strings.Cut(text, "⟨")
	key, _, _ := strings.Cut(rest, "⟩")
	return key
}

// TestTitles checks the titles: error pages and forms with errors begin with
// "Error", and groups of pages have different titles.
func TestTitles(t *testing.T) {
	for _, s := range gallery.States() {
		for l, word := range map[i18n.Lang]string{i18n.RU: "Ошибка: ", i18n.KY: "Ката: ", i18n.EN: "Error: "} {
			var b strings.Builder
			require.NoError(t, s.Render(l).Render(context.Background(), &b))
			_, rest, _ := strings.Cut(b.String(), "<title>")
			title, _, _ := strings.Cut(rest, "</title>")
			wrong := strings.HasSuffix(s.Name, "-wrong") || strings.HasPrefix(s.Name, "error-") || strings.HasSuffix(s.Name, "check-short")
			if strings.HasPrefix(title, word) != wrong {
				t.Errorf("%s in %s: title %q", s.Name, l, title)
			}
			if strings.Contains(b.String(), "style=") || strings.Contains(b.String(), "<style") {
				t.Errorf("%s: an inline style", s.Name)
			}
			if want := fmt.Sprintf(`<html lang="%s">`, l); !strings.Contains(b.String(), want) {
				t.Errorf("%s: no %s", s.Name, want)
			}
		}
	}
}
