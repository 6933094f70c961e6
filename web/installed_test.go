package web_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image/png"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"elsom/internal/i18n"
)

type appIcon struct{ Src, Sizes, Type, Purpose string }

type appManifest struct {
	ID, Name, Lang, Scope, Display string
	ShortName                      string `json:"short_name"`
	StartURL                       string `json:"start_url"`
	Icons                          []appIcon
	Shortcuts                      []struct {
		Name, URL string
		Icons     []appIcon
	}
}

func (b *browser) manifest() (m appManifest) {
	b.t.Helper()
	href := b.page.Find("link[rel=manifest]").AttrOr("href", "none")
	answer := b.send(http.MethodGet, href, nil)
	if answer.Code != http.StatusOK || answer.Header().Get("Content-Type") != "application/manifest+json" || answer.Header().Get("Set-Cookie") != "" {
		b.t.Fatalf("%s: %d %v", href, answer.Code, answer.Header())
	}
	if err := json.Unmarshal(answer.Body.Bytes(), &m); err != nil {
		b.t.Fatal(err)
	}
	return m
}

// The manifest differs between languages only in its texts, and its icons have the
// declared sizes.
func TestManifest(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	for lang, want := range map[i18n.Lang]string{i18n.RU: "Оплатить DosTek", i18n.KY: "DosTek төлөө", i18n.EN: "Pay DosTek"} {
		b := app.browser().open("/?lang=" + string(lang))
		m := b.manifest()
		if m.ID != "/" || m.Scope != "/" || m.StartURL != "/cabinet" || m.Display != "standalone" || m.Lang != string(lang) ||
			m.Name != lang.T("app.name") || m.ShortName != lang.T("frame.brand") {
			t.Errorf("%s: %+v", lang, m)
		}
		if len(m.Shortcuts) == 0 || m.Shortcuts[0].Name != want || m.Shortcuts[0].URL != "/pay/dostek" {
			t.Errorf("%s: shortcuts %+v", lang, m.Shortcuts)
		}
		seen := map[string]bool{}
		for _, icon := range m.Icons {
			answer := b.send(http.MethodGet, icon.Src, nil)
			size, err := png.DecodeConfig(bytes.NewReader(answer.Body.Bytes()))
			if err != nil || fmt.Sprintf("%dx%d", size.Width, size.Height) != icon.Sizes || answer.Header().Get("Content-Type") != icon.Type {
				t.Errorf("%s: %s: %v %+v", lang, icon.Src, err, size)
			}
			seen[icon.Purpose+icon.Sizes] = true
		}
		for _, want := range []string{"any192x192", "any512x512", "maskable192x192", "maskable512x512"} {
			if !seen[want] {
				t.Errorf("%s: no icon %s", lang, want)
			}
		}
	}
	for _, wrong := range []string{"/app/xx.webmanifest", "/app/ru", "/app/ru.webmanifest.webmanifest", "/app/"} {
		if answer := app.browser().send(http.MethodGet, wrong, nil); answer.Code != http.StatusNotFound {
			t.Errorf("%s: %d", wrong, answer.Code)
		}
	}
}

// There is no shortcut to a service that is not offered.
func TestNoShortcutForUnofferedService(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	app.changeCatalog("services:\n  - code: dostek\n", "services:\n  - code: dostek2\n")
	for _, s := range app.browser().open("/").manifest().Shortcuts {
		if strings.Contains(s.URL, "dostek") {
			t.Errorf("%+v", s)
		}
	}
}

type shell struct {
	Name, Offline, Icon, Badge string
	Files, Pages               []string
}

func (b *browser) shell(lang i18n.Lang) (s shell, source string) {
	b.t.Helper()
	answer := b.send(http.MethodGet, "/worker.js?lang="+string(lang), nil)
	if answer.Code != http.StatusOK || answer.Header().Get("Content-Type") != "text/javascript; charset=utf-8" ||
		answer.Header().Get("Cache-Control") != "no-cache" || answer.Header().Get("Set-Cookie") != "" {
		b.t.Fatalf("%d %v", answer.Code, answer.Header())
	}
	source = answer.Body.String()
	found := regexp.MustCompile(`^const shell = (\{.*\});\n`).FindStringSubmatch(source)
	if found == nil {
		b.t.Fatalf("%.200s", source)
	}
	if err := json.Unmarshal([]byte(found[1]), &s); err != nil {
		b.t.Fatal(err)
	}
	return s, source
}

// What the worker caches exists, is the same for everybody, and is complete for the
// cached pages.
func TestWorkerCachesPublicPagesOnly(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	holder := app.browserOf(app.newCustomer(100_00))
	names := map[string]bool{}
	for _, lang := range i18n.Langs() {
		s, source := holder.shell(lang)
		if _, again := app.browser().shell(lang); again != source {
			t.Errorf("%s: a visitor gets another worker", lang)
		}
		names[s.Name] = true
		files := strings.Join(append(s.Files, s.Icon, s.Badge), " ")
		for _, path := range strings.Fields(files) {
			if answer := holder.send(http.MethodGet, path, nil); answer.Code != http.StatusOK || !strings.HasPrefix(path, "/static/") {
				t.Errorf("%s: %d", path, answer.Code)
			}
		}
		if len(s.Pages) < 4 || s.Offline != s.Pages[0] {
			t.Errorf("%s: %+v", lang, s)
		}
		for _, path := range s.Pages {
			b := app.browser().open(path)
			if b.status != http.StatusOK || b.at.RequestURI() != path || b.page.Find("form").Length() > 0 || b.page.Find("html").AttrOr("lang", "") != string(lang) {
				t.Errorf("%s: %d at %s", path, b.status, b.at)
			}
			for _, file := range []string{"link[rel=stylesheet]", "link[as=font]", "script[src]"} {
				part := b.page.Find(file).First()
				if address := part.AttrOr("href", part.AttrOr("src", "")); !strings.Contains(files, address) || address == "" {
					t.Errorf("%s needs %q, which is not kept", path, address)
				}
			}
		}
	}
	if len(names) != len(i18n.Langs()) {
		t.Errorf("languages share a cache: %v", names)
	}
}

// The offline page lists what works without a connection.
func TestOfflinePage(t *testing.T) {
	t.Parallel()
	b := newApp(t).browser().open("/offline?lang=ru").shows("Нет связи", "второй раз деньги не спишутся", "*900#", "Megacom и Beeline", "0312 960 888")
	if b.page.Find(`main a.button[href=""]`).Length() != 1 || b.page.Find(`a[href="tel:*900%23"]`).Length() != 1 || b.page.Find(".languages").Length() > 0 {
		t.Error("no retry link, no link to dial, or a language switch")
	}
}
