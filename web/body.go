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

// Maximum body sizes in bytes, by route. Requests of OSMP and Kannel take a few
// hundred; a USSD gateway sends all inputs of a session each time.
const (
	//mutant:replace 16 << 10 => 16 << 20 ./internal/e2e TestMemoryOfIncompleteBodies
	browserBody  = 16 << 10
	uploadBody   = 1<<20 + 64<<10 // a list of payments, with the rest of its form
	terminalBody = 8 << 10
	ussdBody     = 32 << 10
	receiptBody  = 1 << 10
	publicBody   = 1 << 10
)

const (
	// smallBody exceeds an ordinary form.
	smallBody = 2 << 10
	// bodyTimeout bounds the time to receive a body; 16 KiB arrive within it at
	// 10 kbit/s.
	bodyTimeout = 15 * time.Second
)

// A bodyBudget bounds the total size of bodies being received. Its last quarter
// is reserved for small ones, so that large bodies sent slowly don't block
// ordinary forms.
type bodyBudget struct {
	mu       sync.Mutex
	capacity int64
	reserved int64
}

func (b *bodyBudget) reserve(n int64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	limit := b.capacity
	if n > smallBody {
		//mutant:replace -= limit / 4 => -= 0 TestBodyBudget
		limit -= limit / 4
	}
	//mutant:drop TestBodyBudget
	if b.reserved+n > limit {
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

// receive reads the whole body before it calls the next handler. A body of more
// than limit bytes is answered with 413 before it is read, and one beyond the
// budget by busy.
func (b *bodyBudget) receive(limit int64, busy echo.HandlerFunc) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			r := c.Request()
			if bodyless(r) {
				r.Body = http.NoBody // it is nil in a request from this process
				return next(c)
			}
			size := r.ContentLength
			if size < 0 { // unknown: count the maximum
				size = limit
			}
			//mutant:replace limit => 1000*limit TestLargeAndMalformedBodies
			if size > limit {
				leaveBody(c)
				return echo.ErrStatusRequestEntityTooLarge
			}
			if !b.reserve(size) {
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

// readBody reads at most size bytes within bodyTimeout.
func readBody(c echo.Context, size int64) ([]byte, error) {
	r, conn := c.Request(), http.NewResponseController(c.Response())
	//mutant:replace SetReadDeadline(past) => Flush TestSlowBodyTimesOut
	expired := time.AfterFunc(bodyTimeout, func() { _ = conn.SetReadDeadline(past) })
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

// ignoreBody leaves a small body unread and refuses a larger one, for routes that
// need none.
func ignoreBody(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		leaveBody(c)
		if c.Request().ContentLength > publicBody {
			return echo.ErrStatusRequestEntityTooLarge
		}
		return next(c)
	}
}
