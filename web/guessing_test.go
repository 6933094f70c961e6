package web_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"elsom/internal/customer"
)

// Strangers log in with made-up passwords, more than can be hashed, without a
// pause: whoever comes back in a browser of their own gets in.
func TestKnownBrowsersLogInDuringGuessing(t *testing.T) {
	t.Parallel()
	for name, newDB := range databases {
		t.Run(name, func(t *testing.T) {
			app := newAppWith(t, options{newDB: newDB, hash: customer.Hash{MemoryKiB: 2048, Passes: 2, AtOnce: 1}})
			holders := make([]customer.Customer, 6)
			own := make([]*browser, len(holders))
			for i := range holders {
				holders[i] = app.newCustomer(0)
				own[i] = app.browserOf(holders[i]).press("Выйти").fill("phone", holders[i].Phone.String()).press("Войти").wantPath("/login")
			}
			stranger := app.browser().open("/").fill("phone", app.newNumber().String()).press("Войти")
			body := form(stranger, "password", "a guess").Encode()
			stop := make(chan struct{})
			var storm sync.WaitGroup
			var mu sync.Mutex
			turned := map[int]int{}
			for range 80 {
				storm.Go(func() {
					for {
						select {
						case <-stop:
							return
						default:
						}
						status := stranger.postAtOnce("/login", body)
						mu.Lock()
						turned[status]++
						mu.Unlock()
						time.Sleep(20 * time.Millisecond)
					}
				})
			}
			for begin := time.Now(); time.Since(begin) < 20*time.Second; time.Sleep(10 * time.Millisecond) {
				mu.Lock()
				crowded := turned[http.StatusServiceUnavailable]
				mu.Unlock()
				if crowded > 50 {
					break
				}
			}
			in := 0
			for i := range own {
				if place := own[i].ask(http.MethodPost, "/login", form(own[i], "password", password)).Header().Get("Location"); place == "/cabinet" {
					in++
				}
			}
			close(stop)
			storm.Wait()
			if in != len(own) || turned[http.StatusServiceUnavailable] < 50 {
				t.Errorf("%d of %d got in; strangers were answered %v", in, len(own), turned)
			}
		})
	}
}

// postAtOnce sends what a browser would, and may be called at the same time.
func (b *browser) postAtOnce(path, body string) int {
	request := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	request.Host, request.RemoteAddr = b.at.Host, "203.0.113.7:1234"
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Origin", b.app.base)
	for _, cookie := range b.jar.Cookies(b.at) {
		request.AddCookie(cookie)
	}
	answer := httptest.NewRecorder()
	b.app.server.ServeHTTP(answer, request)
	return answer.Code
}
