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

// While an attacker sends more guesses than can be hashed, customers in known
// browsers can log in.
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
			var attack sync.WaitGroup
			var mu sync.Mutex
			turned := map[int]int{}
			for range 80 {
				attack.Go(func() {
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
				overloaded := turned[http.StatusServiceUnavailable]
				mu.Unlock()
				if overloaded > 50 {
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
			attack.Wait()
			if in != len(own) || turned[http.StatusServiceUnavailable] < 50 {
				t.Errorf("%d of %d got in; guesses were answered %v", in, len(own), turned)
			}
		})
	}
}

// postAtOnce posts like a browser and is safe for concurrent use.
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
