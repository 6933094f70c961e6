package web

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"sync"

	"github.com/labstack/echo/v4"
)

// Bodies of these sizes in bytes are compressed: a smaller one gains nothing, a
// larger one would have to be buffered whole.
const (
	minCompressed = 1000
	maxCompressed = 256 << 10
)

// gzipLevel compresses pages in 60 % of the time of gzip's default (58 instead of 110 µs for
// a page of 13 kB) to 4 % more bytes. Level 1 takes 50 % of the time, for 11 % more.
const gzipLevel = 3

// compressors is a pool of gzip writers of 0.8 MB each, twice as many as
// processors. One is used only while a complete body is compressed, never while
// it is sent, so slow clients don't hold any. Echo's Gzip takes one for each
// request in flight.
type compressors chan *gzip.Writer

func newCompressors() compressors {
	all := make(compressors, 2*runtime.GOMAXPROCS(0))
	for range cap(all) {
		all <- nil // created when first needed
	}
	return all
}

// compress appends a compressed body to out.
func (all compressors) compress(out *bytes.Buffer, body []byte) error {
	w := <-all
	if w == nil {
		w, _ = gzip.NewWriterLevel(out, gzipLevel) // fails only for an unknown level
	}
	defer func() { all <- w }()
	w.Reset(out)
	if _, err := w.Write(body); err != nil {
		return err
	}
	return w.Close()
}

// buffers pools the buffers of bodies and their compressed forms.
var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// compressed gzips responses for clients that accept it.
func compressed() echo.MiddlewareFunc {
	all := newCompressors()
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			response := c.Response()
			response.Header().Add(echo.HeaderVary, echo.HeaderAcceptEncoding)
			if c.Request().Method == http.MethodHead || !strings.Contains(c.Request().Header.Get(echo.HeaderAcceptEncoding), "gzip") {
				return next(c)
			}
			w := &compressingWriter{ResponseWriter: response.Writer, all: all}
			response.Writer = w
			defer func() {
				response.Writer = w.ResponseWriter
				w.finish()
			}()
			return next(c)
		}
	}
}

// A compressingWriter buffers a response until it is complete or too large.
type compressingWriter struct {
	http.ResponseWriter
	all    compressors
	status int
	body   *bytes.Buffer // nil: nothing was written
	sent   bool          // the header is sent; writes go straight to the client
}

// Unwrap is for http.ResponseController.
func (w *compressingWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// WriteHeader stores the status until the first byte is sent.
func (w *compressingWriter) WriteHeader(status int) {
	if w.sent || status < http.StatusOK {
		w.ResponseWriter.WriteHeader(status)
	} else if w.status == 0 {
		w.status = status
	}
}

func (w *compressingWriter) Write(b []byte) (int, error) {
	w.status = cmp.Or(w.status, http.StatusOK)
	if !w.sent && w.size()+len(b) > maxCompressed {
		w.sendPlain()
	}
	if w.sent {
		return w.ResponseWriter.Write(b)
	}
	if w.body == nil {
		w.body, _ = buffers.Get().(*bytes.Buffer)
	}
	return w.body.Write(b)
}

// Flush sends what was written so far, uncompressed.
func (w *compressingWriter) Flush() {
	w.status = cmp.Or(w.status, http.StatusOK)
	w.sendPlain()
	_ = http.NewResponseController(w.ResponseWriter).Flush()
}

func (w *compressingWriter) size() int {
	if w.body == nil {
		return 0
	}
	return w.body.Len()
}

// finish sends the response unless it was sent already.
func (w *compressingWriter) finish() {
	if w.sent || w.status == 0 {
		return
	}
	header := w.Header()
	//mutant:replace () < minCompressed || header => () < 0 || header TestCompressionBounds
	if w.size() < minCompressed || header.Get(echo.HeaderContentEncoding) != "" {
		w.sendPlain()
		return
	}
	out, _ := buffers.Get().(*bytes.Buffer)
	defer release(out)
	if err := w.all.compress(out, w.body.Bytes()); err != nil { // never: writing to a buffer can't fail
		w.sendPlain()
		return
	}
	release(w.body)
	header.Set(echo.HeaderContentEncoding, "gzip")
	header.Set(echo.HeaderContentLength, strconv.Itoa(out.Len()))
	w.sent = true
	w.ResponseWriter.WriteHeader(w.status)
	_, _ = w.ResponseWriter.Write(out.Bytes()) // fails if the client has disconnected
}

// sendPlain sends the status and the buffered body, uncompressed.
func (w *compressingWriter) sendPlain() {
	if w.sent {
		return
	}
	w.sent = true
	w.ResponseWriter.WriteHeader(w.status)
	if w.body != nil {
		_, _ = w.ResponseWriter.Write(w.body.Bytes())
		release(w.body)
	}
}

func release(b *bytes.Buffer) {
	b.Reset()
	buffers.Put(b)
}
