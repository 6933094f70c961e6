package gallery_test

import (
	"context"
	"flag"
	"fmt"
	"html"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"elsom/internal/i18n"
	"elsom/internal/testkit/require"
	"elsom/templates/gallery"
)

var (
	sheetsDir   = flag.String("sheets", "", "write screenshots of all pages and states to this folder")
	onlyScreens = flag.String("screens", "", "with -sheets: only combinations of language, theme and width that match this expression, such as ru-light-360")
	onlyStates  = flag.String("states", "", "with -sheets: only states whose names match this expression")
	readmeDir   = flag.String("readme", "", "write the README's screenshots to this folder")
)

func awaitPromise(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }

// screen is a language, width and color scheme for screenshots.
type screen struct {
	lang  i18n.Lang
	width int64
	dark  bool
}

func (o screen) String() string {
	light := "light"
	if o.dark {
		light = "dark"
	}
	return fmt.Sprintf("%s-%s-%d", o.lang, light, o.width)
}

// TestSheets takes screenshots with -sheets or -readme; otherwise it does nothing.
func TestSheets(t *testing.T) {
	if *sheetsDir == "" && *readmeDir == "" {
		t.Log("skipped without -sheets DIR or -readme DIR")
		return
	}
	h, ctx := open(t), browser(t)
	if *readmeDir != "" {
		readme(ctx, t, h, *readmeDir)
	}
	if *sheetsDir == "" {
		return
	}
	wanted := regexp.MustCompile(*onlyScreens)
	for _, l := range i18n.Langs() {
		for _, dark := range []bool{false, true} {
			for _, width := range []int64{360, 1280} {
				if o := (screen{l, width, dark}); wanted.MatchString(o.String()) {
					sheets(ctx, t, h, *sheetsDir, o)
				}
			}
		}
	}
}

// sheets makes one contact sheet for each group of states.
func sheets(ctx context.Context, t *testing.T, h *galleryServer, dir string, o screen) {
	t.Helper()
	bodies, order := map[string]*strings.Builder{}, []string{}
	wanted := regexp.MustCompile(*onlyStates)
	for _, s := range gallery.States() {
		if !wanted.MatchString(s.Name) {
			continue
		}
		var picture []byte
		if err := chromedp.Run(ctx, emulate(o.width, o.dark), visit(h.URL+"/"+string(o.lang)+"/"+s.Name), shoot(o.width, 740, 1, &picture)); err != nil {
			t.Fatalf("%s %s: %v", o, s.Name, err)
		}
		name := o.String() + "-" + s.Name + ".png"
		write(t, filepath.Join(dir, "pages", name), picture)
		h.mu.Lock()
		h.pictures[name] = picture
		h.mu.Unlock()
		if bodies[s.Group] == nil {
			bodies[s.Group] = &strings.Builder{}
			order = append(order, s.Group)
		}
		fmt.Fprintf(bodies[s.Group], `<figure><img src="/picture/%s" width="%d"><figcaption>%s</figcaption></figure>`, name, o.width*shrink(o)/100, html.EscapeString(s.Name))
	}
	for _, group := range order {
		name := o.String() + "-" + group
		h.mu.Lock()
		h.sheets[name] = sheetHead + bodies[group].String()
		h.mu.Unlock()
		var picture []byte
		if err := chromedp.Run(ctx, emulate(1900, false), chromedp.Navigate(h.URL+"/sheet/"+name), shoot(1900, 100, 1, &picture)); err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, name+".png"), picture)
	}
}

const sheetHead = `<!DOCTYPE html><meta charset="utf-8"><style>
body{margin:0;padding:16px;background:#8a8f94;font:16px sans-serif;display:flex;flex-wrap:wrap;gap:16px;align-items:flex-start}
figure{margin:0}img{display:block}figcaption{padding:4px;color:#fff}</style>`

// shrink scales wide pages so that two fit in a row.
func shrink(o screen) int64 {
	if o.width > 1000 {
		return 72
	}
	return 100
}

// readme makes the README's pictures: four phone screens in a row.
func readme(ctx context.Context, t *testing.T, h *galleryServer, dir string) {
	t.Helper()
	for name, row := range map[string]struct {
		screen
		states []string
	}{
		"pages":   {screen{i18n.RU, 360, false}, []string{"phone", "services", "check", "receipt"}},
		"ky-dark": {screen{i18n.KY, 360, true}, []string{"cabinet", "pay-typed", "check", "receipt"}},
	} {
		var body strings.Builder
		for _, state := range row.states {
			var picture []byte
			require.NoError(t, chromedp.Run(ctx, emulate(row.width, row.dark), visit(h.URL+"/"+string(row.lang)+"/"+state),
				emulation.SetDeviceMetricsOverride(row.width, 780, 1.5, true), capture(&picture)))
			h.mu.Lock()
			h.pictures[name+state] = picture
			h.mu.Unlock()
			fmt.Fprintf(&body, `<img src="/picture/%s" width="300">`, name+state)
		}
		h.mu.Lock()
		h.sheets[name] = rowHead + body.String()
		h.mu.Unlock()
		var picture []byte
		require.NoError(t, chromedp.Run(ctx, emulate(1296, false), emulation.SetDeviceMetricsOverride(1296, 100, 1, false), chromedp.Navigate(h.URL+"/sheet/"+name), shoot(1296, 100, 1, &picture)))
		write(t, filepath.Join(dir, name+".png"), picture)
	}
}

const rowHead = `<!DOCTYPE html><meta charset="utf-8"><style>
body{margin:0;padding:24px 12px;background:#e9e5dc;display:flex;justify-content:space-evenly}
img{display:block;border-radius:22px;box-shadow:0 2px 24px #0003}</style>`

func write(t *testing.T, name string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, data, 0o600); err != nil {
		t.Fatal(err)
	}
}
