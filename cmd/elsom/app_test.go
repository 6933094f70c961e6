package main_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/serviceworker"
	"github.com/chromedp/chromedp"

	"elsom/internal/i18n"
)

// front stands before a site, as the network does, and can be as bad.
type front struct {
	*httptest.Server
	// gone breaks every connection.
	gone atomic.Bool
	// swallowed counts the payments that went to the site; while swallow is set
	// their answers are lost, and with them the network.
	swallow   atomic.Bool
	swallowed atomic.Int64
	// older is the worker of an older release, while there is one.
	older atomic.Pointer[string]
}

func newFront(t *testing.T, s *site) *front {
	t.Helper()
	target, err := url.Parse(s.base)
	if err != nil {
		t.Fatal(err)
	}
	f := &front{}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(target)
			r.Out.Host = r.In.Host
		},
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	}
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		older := f.older.Load()
		switch {
		case f.gone.Load():
			panic(http.ErrAbortHandler)
		case older != nil && r.URL.Path == "/worker.js":
			w.Header().Set("Content-Type", "text/javascript")
			_, _ = w.Write([]byte(*older))
		case r.Method == http.MethodPost && strings.HasPrefix(r.URL.Path, "/check/") && f.swallow.Load():
			f.swallowed.Add(1)
			proxy.ServeHTTP(httptest.NewRecorder(), r)
			f.gone.Store(true)
			panic(http.ErrAbortHandler)
		default:
			proxy.ServeHTTP(w, r)
		}
	}))
	f.Config.ErrorLog = nil
	t.Cleanup(f.Close)
	return f
}

// newApplication opens a site as an installed application does: in a window
// of its own, without an address bar.
func newApplication(t *testing.T, base string) *surfer {
	t.Helper()
	options, err := browserOptions()
	if err != nil {
		t.Fatalf("Chromium: %v", err)
	}
	ctx := ownBrowser(t, append(options, chromedp.Flag("app", base+"/help")))
	v := surf(ctx, t, base, screen{width: 360, scripts: true})
	var standalone bool
	if v.ask(&standalone, `matchMedia("(display-mode: standalone)").matches`); !standalone {
		t.Fatal("the window is no application's")
	}
	return v
}

// ready waits until the worker keeps what it has to.
func (v *surfer) ready() {
	v.t.Helper()
	var name string
	v.ask(&name, `(async () => {
		await navigator.serviceWorker.ready;
		for (;;) {
			const r = await navigator.serviceWorker.getRegistration();
			if (r.active && !r.installing && !r.waiting && r.active.scriptURL.endsWith(document.body.dataset.worker) && r.active.state === "activated") return r.active.scriptURL;
			await new Promise(next => setTimeout(next, 50));
		}
	})()`)
}

// kept gives what all caches hold: address → text.
func (v *surfer) kept() (kept map[string]string) {
	v.t.Helper()
	v.ask(&kept, `(async () => {
		const all = {};
		for (const name of await caches.keys()) {
			const cache = await caches.open(name);
			for (const request of await cache.keys()) {
				const url = new URL(request.url);
				all[url.pathname + url.search] = /woff2$/.test(url.pathname) ? "" : await (await cache.match(request)).text();
			}
		}
		return all;
	})()`)
	return kept
}

// keepsNothingOf wants only public things in the caches.
func (v *surfer) keepsNothingOf(p person) {
	v.t.Helper()
	kept := v.kept()
	if len(kept) < 9 {
		v.t.Errorf("only %d things are kept", len(kept))
	}
	for path, text := range kept {
		bare, _, _ := strings.Cut(path, "?")
		switch bare {
		case "/offline", "/help", "/fill", "/offer", "/app":
		default:
			if !strings.HasPrefix(path, "/static/") {
				v.t.Errorf("%s is kept", path)
			}
		}
		flat := strings.NewReplacer(" ", "", "\u00a0", "").Replace(text)
		for _, private := range []string{"signed-in\"", strings.TrimPrefix(p.phone, "+996"), p.inn, p.email, "749,50", "/logout", "csrf"} {
			if strings.HasSuffix(bare, ".js") || strings.HasSuffix(bare, ".css") {
				break
			}
			if strings.Contains(flat, private) {
				v.t.Errorf("%s is kept with %q in it", path, private)
			}
		}
	}
}

// Chromium finds nothing that would keep it from installing the site.
func TestTheSiteCanBeInstalled(t *testing.T) {
	t.Parallel()
	s := sqlite(t)
	options, err := browserOptions()
	if err != nil {
		t.Fatalf("Chromium: %v", err)
	}
	ctx := ownBrowser(t, options)
	v := surf(ctx, t, s.base, screen{width: 360, scripts: true})
	for _, lang := range i18n.Langs() {
		v.open("/?lang=" + string(lang))
		v.ready()
		v.run(chromedp.ActionFunc(func(ctx context.Context) error {
			problems, err := page.GetInstallabilityErrors().Do(ctx)
			for _, p := range problems {
				t.Errorf("%s: not installable: %s %v", lang, p.ErrorID, p.ErrorArguments)
			}
			if err != nil {
				return err
			}
			at, wrong, text, _, err := page.GetAppManifest().Do(ctx)
			for _, w := range wrong {
				t.Errorf("%s: the manifest: %s", lang, w.Message)
			}
			if !strings.HasSuffix(at, "/app/"+string(lang)+".webmanifest") || !strings.Contains(text, lang.T("app.pay_dostek")) {
				t.Errorf("%s: %s: %s", lang, at, text)
			}
			return err
		}))
	}
}

// The fourth section of the instruction: the application, from a new number to
// the receipt, by «Другие услуги» → «Другие» → «DosTek group». Then the
// network goes, and what is kept is nobody's.
func TestPayingDosTekInTheApplication(t *testing.T) {
	t.Parallel()
	s := sqlite(t, withoutRateLimits)
	f := newFront(t, s)
	v := newApplication(t, f.URL)
	w, p := wordsOf[i18n.RU], somebody()
	signUp(t, s, v, w, p)
	v.ready()
	s.fill(t, p.phone, "1000.00")
	v.open("/cabinet")
	v.look("cabinet of the application")
	v.press("Другие услуги")
	v.look("other services of the application")
	v.press("Другие")
	v.press("DosTek group")
	v.fill("account", p.inn)
	v.fill("amount", "250,50")
	v.press(w.next)
	says(t, v, grouped(p.inn), "250,50")
	v.press(w.pay)
	v.wait("data-payment-status", "completed")
	if got := s.companyBalance(t, p.inn); got != 25050 {
		t.Errorf("the company has %d tyiyn, want 25050", got)
	}
	for _, place := range []string{"/cabinet", "/history", "/services", "/settings", "/help", "/fill"} {
		v.open(place)
	}
	v.keepsNothingOf(p)

	// Another language is another worker, made while somebody is signed in.
	v.open("/settings?lang=ky")
	v.ready()
	v.keepsNothingOf(p)
	v.open("/settings?lang=ru")
	v.ready()

	s.portal.stop(syscall.SIGKILL)
	v.open("/cabinet")
	v.look("no connection")
	says(t, v, "Нет связи", "второй раз деньги не спишутся", "*900#", "Megacom и Beeline", "0312 986 000")
	v.press("Помощь")
	says(t, v, "Частые вопросы")
	if v.offers(w.logout) {
		t.Error("a page of somebody who is signed in was kept")
	}
	v.open("/cabinet")
	s.open(t)
	v.press("Попробовать снова")
	see(t, v, "data-balance", "74950")
	v.keepsNothingOf(p)
	s.audit(t)
}

// The connection goes between the check page and «Оплатить», before the order
// arrived or after: one payment, and the page that comes back knows.
func TestConnectionLostAtPaying(t *testing.T) {
	t.Parallel()
	s := sqlite(t, withoutRateLimits)
	f := newFront(t, s)
	v := newApplication(t, f.URL)
	v.loses = true
	w, p := wordsOf[i18n.RU], somebody()
	signUp(t, s, v, w, p)
	v.ready()
	s.fill(t, p.phone, "1000.00")
	for _, c := range []struct {
		name    string
		swallow bool
		company int64
	}{{"before it arrived", false, 25050}, {"after it arrived", true, 50100}} {
		v.open("/pay/dostek")
		v.fill("account", p.inn)
		v.fill("amount", "250,50")
		v.press(w.next)
		f.swallow.Store(c.swallow)
		f.gone.Store(!c.swallow)
		v.press(w.pay)
		says(t, v, "Нет связи", "второй раз деньги не спишутся")
		if !strings.HasPrefix(v.path(), "/check/") {
			t.Errorf("%s: at %s", c.name, v.path())
		}
		v.open(v.path()) // in vain
		f.swallow.Store(false)
		f.gone.Store(false)
		v.press("Попробовать снова")
		if c.swallow {
			says(t, v, "Уже оплачено", "Второй раз деньги не списаны")
			v.press("Открыть квитанцию")
		} else {
			v.press(w.pay)
		}
		v.wait("data-payment-status", "completed")
		if got := s.companyBalance(t, p.inn); got != c.company {
			t.Errorf("%s: the company has %d tyiyn, want %d", c.name, got, c.company)
		}
	}
	if f.swallowed.Load() == 0 {
		t.Error("no order was lost on its way back")
	}
	s.audit(t)
}

// A worker of an older release gives way to this one's, with what it kept.
func TestAnOlderWorkerGivesWay(t *testing.T) {
	t.Parallel()
	s := sqlite(t)
	f := newFront(t, s)
	older := `addEventListener("install", e => e.waitUntil(caches.open("elsom-older").then(c => c.put("/cabinet", new Response("an old cabinet"))).then(() => skipWaiting())));
		addEventListener("activate", e => e.waitUntil(clients.claim()));
		addEventListener("fetch", e => { if (e.request.mode === "navigate") e.respondWith(fetch(e.request)); });`
	f.older.Store(&older)
	v := newApplication(t, f.URL)
	v.open("/")
	v.ready()
	if kept := v.kept(); kept["/cabinet"] != "an old cabinet" {
		t.Fatalf("there is no older worker: %v", kept)
	}
	f.older.Store(nil)
	v.open("/help")
	var names []string
	v.ask(&names, `(async () => {
		for (let i = 0; i < 400; i++) {
			const names = await caches.keys();
			if (names.length === 1 && names[0] !== "elsom-older") return names;
			await new Promise(next => setTimeout(next, 50));
		}
		return caches.keys();
	})()`)
	if len(names) != 1 || names[0] == "elsom-older" {
		t.Errorf("kept: %v", names)
	}
	v.ready()
	f.gone.Store(true)
	v.open("/cabinet")
	says(t, v, "Нет связи")
}

// The hint shows where the application can be had, until it is put away: then
// never again. Notices are asked for by the holder, and open the receipt.
func TestHintAndNotices(t *testing.T) {
	t.Parallel()
	key := strings.TrimSpace(operate(t, nil, "vapid").out)
	s := sqlite(t, withoutRateLimits, "ELSOM_VAPID_KEY="+key, "ELSOM_PUSH_HOSTS=push.example.net")
	v := newApplication(t, s.base)
	p := somebody()
	signUp(t, s, v, wordsOf[i18n.RU], p)
	const offer = `(() => { const e = new Event("beforeinstallprompt", {cancelable: true}); e.prompt = async () => { window.prompted = true; }; return !dispatchEvent(e); })()`
	var held, prompted bool
	if v.ask(&held, offer); !held || !v.offers("Установить") {
		t.Error("no hint")
	}
	v.look("cabinet with the hint")
	// In one breath: the browser may make an offer of its own, which takes a person's hand.
	v.ask(nil, offer+`; document.querySelector("[data-install]:not([hidden])").click()`)
	if v.ask(&prompted, `window.prompted === true`); !prompted || v.offers("Установить") {
		t.Error("the browser was not asked, or can be asked again")
	}
	v.ask(nil, `document.querySelector("[data-install-away]").click()`)
	v.open("/cabinet")
	if v.ask(&held, offer); v.offers("Не показывать") {
		t.Error("the hint is back")
	}

	v.open("/settings")
	v.ready()
	v.run(chromedp.ActionFunc(func(ctx context.Context) error {
		allow := browser.GrantPermissions([]browser.PermissionType{browser.PermissionTypeNotifications}).WithOrigin(s.base)
		return allow.Do(cdp.WithExecutor(ctx, chromedp.FromContext(ctx).Browser))
	}))
	v.ask(nil, `PushManager.prototype.subscribe = async (o) => ({ toJSON: () => ({ endpoint: "https://push.example.net/1", expirationTime: null,
		keys: { p256dh: "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4", auth: "BTBZMqHH6r4Tts7J_aSIgg" } }) }), 0`)
	v.look("settings with notices")
	v.press("Включить на этом устройстве")
	says(t, v, "Уведомления включены", "Отключить")

	ids := make(chan serviceworker.RegistrationID, 100)
	chromedp.ListenTarget(v.ctx, func(event any) {
		if e, ok := event.(*serviceworker.EventWorkerRegistrationUpdated); ok {
			for _, r := range e.Registrations {
				ids <- r.RegistrationID
			}
		}
	})
	v.run(serviceworker.Enable())
	id, shown := <-ids, ""
	for range 10 { // a worker that is just being looked for anew takes none
		v.run(serviceworker.DeliverPushMessage(s.base, id, `{"title":"Платёж проведён","text":"DosTek group: 250,50 сом","lang":"ru","tag":"payment:1:completed","href":"/receipt/1"}`))
		v.ask(&shown, `(async () => {
			const r = await navigator.serviceWorker.ready;
			for (let i = 0; i < 40; i++) {
				const [n] = await r.getNotifications();
				if (n) return [n.title, n.body, n.tag, n.data].join("|");
				await new Promise(next => setTimeout(next, 50));
			}
			return "";
		})()`)
		if shown != "" {
			break
		}
	}
	if shown != "Платёж проведён|DosTek group: 250,50 сом|payment:1:completed|/receipt/1" {
		t.Errorf("shown: %s", shown)
	}
	v.press("Отключить")
	says(t, v, "отключены")
}
