package web_test

import (
	"strings"
	"testing"
	"time"

	"elsom/internal/i18n"
)

// TestSessionList checks the list of a wallet's sessions: browser, login, last
// activity, network, and a button that ends each.
func TestSessionList(t *testing.T) {
	t.Parallel()
	for name, newDB := range databases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			app := newAppWith(t, options{newDB: newDB})
			holder := app.newCustomer(0)
			for from, agent := range map[string]string{
				"203.0.113.77:4711":             "Mozilla/5.0 (Windows NT 10.0) Firefox/140.0",
				"[2001:db8:4d:1:aa:bb:cc:1]:99": "Mozilla/5.0 (iPhone) Safari/605",
				"[::ffff:198.51.100.9]:99":      "Mozilla/5.0 (Linux; Android 16) Chrome/156",
			} {
				b := app.browser()
				b.from, b.agent = from, map[string]string{"User-Agent": agent}
				b.open("/")
				b.logIn(holder.Phone, password)
				app.advance(5 * time.Minute)
				b.open("/help") // the last activity
			}
			b := app.browserOf(holder).open("/settings")
			rows := map[string]string{}
			for _, row := range b.page.Find(".sessions li").EachIter() {
				rows[line(row.Find(".row-title").Text())] = line(row.Text())
			}
			for device, network := range map[string]string{
				"Firefox, Windows": "203.0.113.x", "Safari, iPhone": "2001:db8:4d:x", "Chrome, Android": "198.51.100.x",
			} {
				row := rows[device]
				if !strings.Contains(row, "Сеть: "+network) || !strings.Contains(row, "Вход: ") || !strings.Contains(row, "Последнее действие: ") {
					t.Errorf("%s: %s", device, row)
				}
				login, seen := stampAfter(row, "Вход: "), stampAfter(row, "Последнее действие: ")
				if login == "" || login == seen {
					t.Errorf("%s: login and last activity are %q and %q", device, login, seen)
				}
				if !strings.Contains(row, "Закрыть этот вход") || strings.Contains(b.body, "203.0.113.77") {
					t.Errorf("%s: no button, or the whole address: %s", device, row)
				}
			}
			if own := rows["—"]; !strings.Contains(own, "Это устройство") || strings.Contains(own, "Закрыть этот вход") || !strings.Contains(own, "192.0.2.x") {
				t.Errorf("this browser: %s", own)
			}
			for _, lang := range i18n.Langs() {
				b.open("/settings?lang="+string(lang)).shows(lang.T("portal.settings.end"), lang.T("portal.settings.network"))
			}
		})
	}
}

// stampAfter returns the time after the words, to the minute.
func stampAfter(text, words string) string {
	_, after, _ := strings.Cut(text, words)
	return after[:min(len(after), len("22.11.2026, 21:15"))]
}
