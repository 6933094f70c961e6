package e2e_test

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
	"elsom/internal/testkit/system"
)

// flakyProxy is a reverse proxy to a site that simulates failures of the network.
type flakyProxy struct {
	*httptest.Server
	// offline makes the proxy close every connection.
	offline atomic.Bool
	// If dropResponse is set, the response to the next payment is dropped and offline
	// is set. dropped counts such payments.
	dropResponse atomic.Bool
	dropped      atomic.Int64
	// older is the service worker of an older release; nil: the current one.
	older atomic.Pointer[string]
}

func newFlakyProxy(t *testing.T, s *system.Site) *flakyProxy {
	t.Helper()
	target, err := url.Parse(s.BaseURL)
	if err != nil {
		t.Fatal(err)
	}
	f := &flakyProxy{}
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
		case f.offline.Load():
			panic(http.ErrAbortHandler)
		case older != nil && r.URL.Path == "/worker.js":
			w.Header().Set("Content-Type", "text/javascript")
			_, _ = w.Write([]byte(*older))
		case r.Method == http.MethodPost && strings.HasPrefix(r.URL.Path, "/check/") && f.dropResponse.Load():
			f.dropped.Add(1)
			proxy.ServeHTTP(httptest.NewRecorder(), r)
			f.offline.Store(true)
			panic(http.ErrAbortHandler)
		default:
			proxy.ServeHTTP(w, r)
		}
	}))
	f.Config.ErrorLog = nil
	t.Cleanup(f.Close)
	return f
}

// newApplication opens a site in an app window, without an address bar.
func newApplication(t *testing.T, base string) *system.Tab {
	t.Helper()
	options, err := system.BrowserOptions()
	if err != nil {
		t.Fatalf("Chromium: %v", err)
	}
	ctx := system.NewBrowser(t, append(options, chromedp.Flag("app", base+"/help")))
	v := system.NewTabIn(ctx, t, base, system.Screen{Width: 360, Scripts: true})
	var standalone bool
	if v.Eval(&standalone, `matchMedia("(display-mode: standalone)").matches`); !standalone {
		t.Fatal("the display mode is not standalone")
	}
	return v
}

// waitWorker waits until the page's service worker is active.
func waitWorker(v *system.Tab) {
	v.T.Helper()
	var name string
	v.Eval(&name, `(async () => {
		await navigator.serviceWorker.ready;
		for (;;) {
			const r = await navigator.serviceWorker.getRegistration();
			if (r.active && !r.installing && !r.waiting && r.active.scriptURL.endsWith(document.body.dataset.worker) && r.active.state === "activated") return r.active.scriptURL;
			await new Promise(next => setTimeout(next, 50));
		}
	})()`)
}

// cachedPages returns the contents of all caches, by address.
func cachedPages(v *system.Tab) (cached map[string]string) {
	v.T.Helper()
	v.Eval(&cached, `(async () => {
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
	return cached
}

// wantNothingCachedOf checks that the caches have public pages only.
func wantNothingCachedOf(v *system.Tab, p system.Person) {
	v.T.Helper()
	cached := cachedPages(v)
	if len(cached) < 9 {
		v.T.Errorf("only %d pages are cached", len(cached))
	}
	for path, text := range cached {
		bare, _, _ := strings.Cut(path, "?")
		switch bare {
		case "/offline", "/help", "/fill", "/offer", "/app":
		default:
			if !strings.HasPrefix(path, "/static/") {
				v.T.Errorf("%s is cached", path)
			}
		}
		flat := strings.NewReplacer(" ", "", "\u00a0", "").Replace(text)
		for _, private := range []string{"signed-in\"", strings.TrimPrefix(p.Phone, "+996"), p.INN, p.Email, "749,50", "/logout", "csrf"} {
			if strings.HasSuffix(bare, ".js") || strings.HasSuffix(bare, ".css") {
				break
			}
			if strings.Contains(flat, private) {
				v.T.Errorf("%s is cached with %q in it", path, private)
			}
		}
	}
}

// Chromium reports no installability error.
func TestSiteIsInstallable(t *testing.T) {
	t.Parallel()
	s := system.NewSQLiteSite(t)
	options, err := system.BrowserOptions()
	if err != nil {
		t.Fatalf("Chromium: %v", err)
	}
	ctx := system.NewBrowser(t, options)
	v := system.NewTabIn(ctx, t, s.BaseURL, system.Screen{Width: 360, Scripts: true})
	for _, lang := range i18n.Langs() {
		v.Open("/?lang=" + string(lang))
		waitWorker(v)
		v.Run(chromedp.ActionFunc(func(ctx context.Context) error {
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

// Section 4 of the instruction: from sign-up to the receipt in the installed
// application, by «Другие услуги» → «Другие» → «DosTek group». Then the network is
// lost; no private page is cached.
func TestPayDosTekInInstalledApp(t *testing.T) {
	t.Parallel()
	s := system.NewSQLiteSite(t, system.WithoutRateLimits)
	f := newFlakyProxy(t, s)
	v := newApplication(t, f.URL)
	w, p := system.WordsOf[i18n.RU], system.NewPerson()
	system.SignUp(t, s, v, w, p)
	waitWorker(v)
	s.CashIn(t, p.Phone, "1000.00")
	v.Open("/cabinet")
	v.Check("cabinet of the application")
	v.Press("Другие услуги")
	v.Check("other services of the application")
	v.Press("Другие")
	v.Press("DosTek group")
	v.Fill("account", p.INN)
	v.Fill("amount", "250,50")
	v.Press(w.Next)
	system.WantText(t, v, system.Grouped(p.INN), "250,50")
	v.Press(w.Pay)
	v.WaitAttribute("data-payment-status", "completed")
	if got := s.CompanyBalance(t, p.INN); got != 25050 {
		t.Errorf("the company has %d tyiyn, want 25050", got)
	}
	for _, place := range []string{"/cabinet", "/history", "/services", "/settings", "/help", "/fill"} {
		v.Open(place)
	}
	wantNothingCachedOf(v, p)

	// Another language has another worker, which is installed while signed in.
	v.Open("/settings?lang=ky")
	waitWorker(v)
	wantNothingCachedOf(v, p)
	v.Open("/settings?lang=ru")
	waitWorker(v)

	s.Portal.Stop(syscall.SIGKILL)
	v.Open("/cabinet")
	v.Check("no connection")
	system.WantText(t, v, "Нет связи", "второй раз деньги не спишутся", "*900#", "Megacom и Beeline", "0312 986 000")
	v.Press("Помощь")
	system.WantText(t, v, "Частые вопросы")
	if v.Offers(w.Logout) {
		t.Error("a page of a signed-in customer is cached")
	}
	v.Open("/cabinet")
	s.Start(t)
	v.Press("Попробовать снова")
	system.WantAttribute(t, v, "data-balance", "74950")
	wantNothingCachedOf(v, p)
	s.Audit(t)
}

// The connection is lost at «Оплатить», before the order arrived or after: it is
// paid once, and the page shows which.
func TestConnectionLostWhilePaying(t *testing.T) {
	t.Parallel()
	s := system.NewSQLiteSite(t, system.WithoutRateLimits)
	f := newFlakyProxy(t, s)
	v := newApplication(t, f.URL)
	v.IgnoreNetworkErrors = true
	w, p := system.WordsOf[i18n.RU], system.NewPerson()
	system.SignUp(t, s, v, w, p)
	waitWorker(v)
	s.CashIn(t, p.Phone, "1000.00")
	for _, c := range []struct {
		name         string
		dropResponse bool
		company      int64 // its balance in tyiyn
	}{{"before it arrived", false, 25050}, {"after it arrived", true, 50100}} {
		v.Open("/pay/dostek")
		v.Fill("account", p.INN)
		v.Fill("amount", "250,50")
		v.Press(w.Next)
		f.dropResponse.Store(c.dropResponse)
		f.offline.Store(!c.dropResponse)
		v.Press(w.Pay)
		system.WantText(t, v, "Нет связи", "второй раз деньги не спишутся")
		if !strings.HasPrefix(v.Path(), "/check/") {
			t.Errorf("%s: at %s", c.name, v.Path())
		}
		v.Open(v.Path()) // still without a connection
		f.dropResponse.Store(false)
		f.offline.Store(false)
		v.Press("Попробовать снова")
		if c.dropResponse {
			system.WantText(t, v, "Уже оплачено", "Второй раз деньги не списаны")
			v.Press("Открыть квитанцию")
		} else {
			v.Press(w.Pay)
		}
		v.WaitAttribute("data-payment-status", "completed")
		if got := s.CompanyBalance(t, p.INN); got != c.company {
			t.Errorf("%s: the company has %d tyiyn, want %d", c.name, got, c.company)
		}
	}
	if f.dropped.Load() == 0 {
		t.Error("no answer was lost")
	}
	s.Audit(t)
}

// The service worker of an older release is replaced, and its cache deleted.
func TestOlderServiceWorkerIsReplaced(t *testing.T) {
	t.Parallel()
	s := system.NewSQLiteSite(t)
	f := newFlakyProxy(t, s)
	older := `addEventListener("install", e => e.waitUntil(caches.open("elsom-older").then(c => c.put("/cabinet", new Response("an old cabinet"))).then(() => skipWaiting())));
		addEventListener("activate", e => e.waitUntil(clients.claim()));
		addEventListener("fetch", e => { if (e.request.mode === "navigate") e.respondWith(fetch(e.request)); });`
	f.older.Store(&older)
	v := newApplication(t, f.URL)
	v.Open("/")
	waitWorker(v)
	if cached := cachedPages(v); cached["/cabinet"] != "an old cabinet" {
		t.Fatalf("there is no older worker: %v", cached)
	}
	f.older.Store(nil)
	v.Open("/help")
	var names []string
	v.Eval(&names, `(async () => {
		for (let i = 0; i < 400; i++) {
			const names = await caches.keys();
			if (names.length === 1 && names[0] !== "elsom-older") return names;
			await new Promise(next => setTimeout(next, 50));
		}
		return caches.keys();
	})()`)
	if len(names) != 1 || names[0] == "elsom-older" {
		t.Errorf("the caches are %v", names)
	}
	waitWorker(v)
	f.offline.Store(true)
	v.Open("/cabinet")
	system.WantText(t, v, "Нет связи")
}

// The hint offers to install the application until it is dismissed. A customer can
// turn notifications on; they open the receipt.
func TestInstallHintAndNotifications(t *testing.T) {
	t.Parallel()
	key := strings.TrimSpace(system.Run(t, nil, "vapid").Stdout)
	s := system.NewSQLiteSite(t, system.WithoutRateLimits, "ELSOM_VAPID_KEY="+key, "ELSOM_PUSH_HOSTS=push.example.net")
	v := newApplication(t, s.BaseURL)
	p := system.NewPerson()
	system.SignUp(t, s, v, system.WordsOf[i18n.RU], p)
	const offer = `(() => { const e = new Event("beforeinstallprompt", {cancelable: true}); e.prompt = async () => { window.prompted = true; }; return !dispatchEvent(e); })()`
	var deferred, prompted bool
	if v.Eval(&deferred, offer); !deferred || !v.Offers("Установить") {
		t.Error("no hint")
	}
	v.Check("cabinet with the hint")
	// In one script: the browser's own prompt would need a user gesture.
	v.Eval(nil, offer+`; document.querySelector("[data-install]:not([hidden])").click()`)
	if v.Eval(&prompted, `window.prompted === true`); !prompted || v.Offers("Установить") {
		t.Error("the browser was not asked, or can be asked again")
	}
	v.Eval(nil, `document.querySelector("[data-install-away]").click()`)
	v.Open("/cabinet")
	if v.Eval(&deferred, offer); v.Offers("Не показывать") {
		t.Error("the hint is back")
	}

	v.Open("/settings")
	waitWorker(v)
	v.Run(chromedp.ActionFunc(func(ctx context.Context) error {
		allow := browser.GrantPermissions([]browser.PermissionType{browser.PermissionTypeNotifications}).WithOrigin(s.BaseURL)
		return allow.Do(cdp.WithExecutor(ctx, chromedp.FromContext(ctx).Browser))
	}))
	v.Eval(nil, `PushManager.prototype.subscribe = async (o) => ({ toJSON: () => ({ endpoint: "https://push.example.net/1", expirationTime: null,
		keys: { p256dh: "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4", auth: "BTBZMqHH6r4Tts7J_aSIgg" } }) }), 0`)
	v.Check("settings with notices")
	v.Press("Включить на этом устройстве")
	system.WantText(t, v, "Уведомления включены", "Отключить")

	ids := make(chan serviceworker.RegistrationID, 100)
	chromedp.ListenTarget(v.Ctx, func(event any) {
		if e, ok := event.(*serviceworker.EventWorkerRegistrationUpdated); ok {
			for _, r := range e.Registrations {
				ids <- r.RegistrationID
			}
		}
	})
	v.Run(serviceworker.Enable())
	id, shown := <-ids, ""
	for range 10 { // a worker that is being updated takes none
		v.Run(serviceworker.DeliverPushMessage(s.BaseURL, id, `{"title":"Платёж проведён","text":"DosTek group: 250,50 сом","lang":"ru","tag":"payment:1:completed","href":"/receipt/1"}`))
		v.Eval(&shown, `(async () => {
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
	v.Press("Отключить")
	system.WantText(t, v, "отключены")
}
