package page

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"iter"

	"github.com/a-h/templ"

	"elsom/internal/i18n"
	"elsom/static"
	"elsom/templates/layout"
)

// AppPage is `/app`: how to put the application on a screen.
type AppPage struct{ layout.Frame }

// OfflinePage is `/offline`: what the application shows without a connection.
type OfflinePage struct{ layout.Frame }

// system is where an application can be put.
type system struct{ key, icon string }

var systems = []system{{"android", "smartphone"}, {"iphone", "smartphone"}, {"desk", "monitor"}}

// Manifest is the application as a browser installs it.
// Source: https://www.w3.org/TR/appmanifest/
type Manifest struct {
	ID          string     `json:"id"`
	Name        string     `json:"name"`
	ShortName   string     `json:"short_name"`
	Description string     `json:"description"`
	Lang        string     `json:"lang"`
	Dir         string     `json:"dir"`
	StartURL    string     `json:"start_url"`
	Scope       string     `json:"scope"`
	Display     string     `json:"display"`
	Background  string     `json:"background_color"`
	Theme       string     `json:"theme_color"`
	Categories  []string   `json:"categories"`
	Icons       []picture  `json:"icons"`
	Shortcuts   []shortcut `json:"shortcuts"`
}

type picture struct {
	Source  string `json:"src"`
	Sizes   string `json:"sizes"`
	Type    string `json:"type"`
	Purpose string `json:"purpose"`
}

type shortcut struct {
	Name  string    `json:"name"`
	URL   string    `json:"url"`
	Icons []picture `json:"icons"`
}

// NewManifest is the manifest in a language. Dostek is where DosTek is paid;
// empty: nowhere.
func NewManifest(lang i18n.Lang, dostek string) Manifest {
	draw := func(name, sizes, purpose string) picture {
		return picture{static.Path("icons/" + name + ".png"), sizes, "image/png", purpose}
	}
	m := Manifest{
		ID: "/", Name: lang.T("app.name"), ShortName: lang.T("frame.brand"), Description: lang.T("frame.about"),
		Lang: string(lang), Dir: "ltr", StartURL: "/cabinet", Scope: "/", Display: "standalone",
		Background: "#fbf9f5", Theme: "#0b5563", Categories: []string{"finance"},
		Icons: []picture{
			draw("icon-192", "192x192", "any"), draw("icon-512", "512x512", "any"),
			draw("maskable-192", "192x192", "maskable"), draw("maskable-512", "512x512", "maskable"),
		},
	}
	small := m.Icons[:1]
	if dostek != "" {
		m.Shortcuts = append(m.Shortcuts, shortcut{lang.T("app.pay_dostek"), dostek, small})
	}
	m.Shortcuts = append(m.Shortcuts, shortcut{lang.T("frame.place.history"), "/history", small})
	return m
}

// shell is what the worker keeps for a time without a connection: what every
// page is dressed with, and public pages.
type shell struct {
	Name    string   `json:"name"`
	Files   []string `json:"files"`
	Pages   []string `json:"pages"`
	Offline string   `json:"offline"`
	Icon    string   `json:"icon"`
	Badge   string   `json:"badge"`
}

// Worker is the source of the service worker that speaks the language. It
// differs from that of another release exactly when something that it keeps
// has changed.
func Worker(ctx context.Context, lang i18n.Lang, dev bool) ([]byte, error) {
	files := []string{
		"css/elsom.css", "js/elsom.js", "js/app.js", "icons/icon.svg",
		"fonts/onest-cyrillic-wght-normal.woff2", "fonts/onest-latin-wght-normal.woff2",
	}
	if lang == i18n.KY {
		files = append(files, "fonts/onest-cyrillic-ext-wght-normal.woff2")
	}
	s := shell{Icon: static.Path("icons/icon-192.png"), Badge: static.Path("icons/badge-96.png")}
	for _, name := range files {
		s.Files = append(s.Files, static.Path(name))
	}
	hash := sha256.New()
	fmt.Fprint(hash, static.Worker, s)
	query := "?lang=" + string(lang)
	for path, page := range public(layout.Frame{Lang: lang, Dev: dev, Installable: true}) {
		if err := page.Render(ctx, hash); err != nil {
			return nil, err
		}
		s.Pages = append(s.Pages, path+query)
	}
	s.Offline = "/offline" + query
	s.Name = "elsom-" + hex.EncodeToString(hash.Sum(nil)[:8])
	kept, err := json.Marshal(s)
	return fmt.Appendf(nil, "const shell = %s;\n%s", kept, static.Worker), err
}

// public gives the pages that a stranger may keep, by their addresses.
func public(f layout.Frame) iter.Seq2[string, templ.Component] {
	return func(yield func(string, templ.Component) bool) {
		_ = yield("/offline", OfflinePage{f}.Page()) && yield("/help", HelpPage{f}.Page()) &&
			yield("/fill", FillPage{Frame: f}.Page()) && yield("/app", AppPage{f}.Page()) &&
			yield("/offer", OfferPage{Frame: f, Edition: CurrentOffer()}.Page())
	}
}
