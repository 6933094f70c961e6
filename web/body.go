package web

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/labstack/echo/v4"
)

// Maximum body sizes in bytes, by route. OSMP's and Kannel's requests take some
// hundreds of bytes; a USSD gateway sends all inputs of a session each time.
const (
	browserBody  = 16 << 10
	terminalBody = 8 << 10
	ussdBody     = 32 << 10
	receiptBody  = 1 << 10
	publicBody   = 1 << 10
)

const (
	// smallBody is more than an ordinary form takes.
	smallBody = 2 << 10
	// bodyTime bounds how long a body may take; 16 KiB arrive within it at
	// 10 kbit/s.
	bodyTime = 15 * time.Second
)

// A bodyBudget bounds the total size of bodies being received. Its last quarter
// is reserved for small ones, so that large bodies sent slowly don't block
// ordinary forms.
type bodyBudget struct {
	mu       sync.Mutex
	most     int64
	reserved int64
}

func (b *bodyBudget) take(n int64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	most := b.most
	if n > smallBody {
		//mutant:replace -= most / 4 => -= 0 TestBodyBudget
		most -= most / 4
	}
	//mutant:drop TestBodyBudget
	if b.reserved+n > most {
		return false
	}
	b.reserved += n
	return true
}

func (b *bodyBudget) release(n int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.reserved -= n
}

// receive reads the whole body before it calls the next handler. A body larger
// than most is answered with 413 before it is read, one beyond the budget by busy.
func (b *bodyBudget) receive(most int64, busy echo.HandlerFunc) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			r := c.Request()
			if bodyless(r) {
				r.Body = http.NoBody // nil in a request made inside the process
				return next(c)
			}
			size := r.ContentLength
			if size < 0 { // unknown: count the maximum
				size = most
			}
			//mutant:replace most => 1000*most TestLargeAndMalformedBodies
			if size > most {
				leaveBody(c)
				return echo.ErrStatusRequestEntityTooLarge
			}
			if !b.take(size) {
				leaveBody(c)
				return shed(c, busy)
			}
			body, err := readBody(c, size)
			b.release(size)
			if err != nil {
				// The failed read has canceled the context, which the answer needs.
				c.SetRequest(r.WithContext(context.WithoutCancel(r.Context())))
				leaveBody(c)
				return err
			}
			r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
			return next(c)
		}
	}
}

// readBody reads at most size bytes within bodyTime.
func readBody(c echo.Context, size int64) ([]byte, error) {
	r, conn := c.Request(), http.NewResponseController(c.Response())
	//mutant:replace SetReadDeadline(past) => Flush TestSlowBodyTimesOut
	expired := time.AfterFunc(bodyTime, func() { _ = conn.SetReadDeadline(past) })
	body := bytes.NewBuffer(make([]byte, 0, size+bytes.MinRead))
	_, err := body.ReadFrom(io.LimitReader(r.Body, size+1))
	switch {
	case !expired.Stop():
		return nil, echo.NewHTTPError(http.StatusRequestTimeout).WithInternal(err)
	case err != nil:
		return nil, echo.ErrBadRequest.WithInternal(err)
	case int64(body.Len()) > size:
		return nil, echo.ErrStatusRequestEntityTooLarge
	}
	return body.Bytes(), nil
}

// past is a deadline that makes every read fail at once.
var past = time.Unix(1, 0)

// leaveBody closes the connection after the answer; net/http would otherwise
// read the rest of the body.
func leaveBody(c echo.Context) {
	r := c.Request()
	if bodyless(r) {
		return
	}
	r.Body = http.NoBody
	c.Response().Header().Set(echo.HeaderConnection, "close")
	//mutant:drop ./internal/e2e TestRejectWithoutReadingBody
	_ = http.NewResponseController(c.Response()).SetReadDeadline(past)
}

func bodyless(r *http.Request) bool {
	return r.Body == nil || r.Body == http.NoBody || r.ContentLength == 0
}

// ignoreBody ignores a small body, for routes that take none.
func ignoreBody(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		leaveBody(c)
		if c.Request().ContentLength > publicBody {
			return echo.ErrStatusRequestEntityTooLarge
		}
		return next(c)
	}
}
