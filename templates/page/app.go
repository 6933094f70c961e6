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

// AppPage is `/app`, which shows how to install the application.
type AppPage struct{ layout.Frame }

// OfflinePage is `/offline`, shown by the application without a connection.
type OfflinePage struct{ layout.Frame }

// system is an operating system with its own way of installing.
type system struct{ key, icon string }

var systems = []system{{"android", "smartphone"}, {"iphone", "smartphone"}, {"desk", "monitor"}}

// Manifest is the web app manifest, see https://www.w3.org/TR/appmanifest/
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

// NewManifest returns the manifest in a language. dostek is the address of DosTek's
// payment form; empty: the service is not offered.
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

// shell is what the service worker caches for use without a connection: style
// sheets, scripts, fonts, icons and the public pages.
type shell struct {
	Name    string   `json:"name"`
	Files   []string `json:"files"`
	Pages   []string `json:"pages"`
	Offline string   `json:"offline"`
	Icon    string   `json:"icon"`
	Badge   string   `json:"badge"`
}

// Worker returns the source of the service worker in a language. It changes exactly
// when something that it caches has changed, since browsers compare the source.
func Worker(ctx context.Context, lang i18n.Lang, dev bool) ([]byte, error) {
	files := []string{
		"css/elsom.css", "js/elsom.js", "js/app.js", "icons/icon.svg",
		"fonts/onest-basic-wght-normal.woff2", "fonts/onest-cyrillic-wght-normal.woff2", "fonts/onest-latin-wght-normal.woff2",
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
		//mutant:replace path+query => path+query, "/cabinet"+query ./web TestWorkerCachesPublicPagesOnly
		s.Pages = append(s.Pages, path+query)
	}
	s.Offline = "/offline" + query
	s.Name = "elsom-" + hex.EncodeToString(hash.Sum(nil)[:8])
	encoded, err := json.Marshal(s)
	//mutant:replace shell = %s => shell = %q ./web TestWorkerCachesPublicPagesOnly
	return fmt.Appendf(nil, "const shell = %s;\n%s", encoded, static.Worker), err
}

// public returns the pages that are the same for all visitors, by path.
func public(f layout.Frame) iter.Seq2[string, templ.Component] {
	return func(yield func(string, templ.Component) bool) {
		_ = yield("/offline", OfflinePage{f}.Page()) && yield("/help", HelpPage{f}.Page()) &&
			yield("/fill", FillPage{Frame: f}.Page()) && yield("/app", AppPage{f}.Page()) &&
			yield("/offer", OfferPage{Frame: f, Edition: CurrentOffer()}.Page())
	}
}
