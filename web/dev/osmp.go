package dev

import (
	"bytes"
	"encoding/xml"
	"net/http"
	"net/url"

	"github.com/labstack/echo/v4"

	"elsom/internal/cashin"
)

// reply is OSMP's answer as a terminal reads it. Result means nothing unless
// status is 200.
type reply struct {
	status    int
	Result    int    `xml:"result"`
	Reference string `xml:"prv_txn"`
}

// resultUnread stands for an answer that is not OSMP's.
const resultUnread = -1

// ask calls the real /osmp as the agent does, with its password, from the
// browser's own address.
func (d *Door) ask(c echo.Context, agent cashin.NewAgent, parameters url.Values) (reply, error) {
	if d.OSMP == nil {
		return reply{}, errOSMP
	}
	r, err := http.NewRequestWithContext(c.Request().Context(), http.MethodGet, "/osmp?"+parameters.Encode(), nil)
	if err != nil {
		return reply{}, err
	}
	r.SetBasicAuth(agent.Code, agent.Password)
	w := d.call(c, r)
	read := reply{status: w.status}
	if w.status != http.StatusOK {
		return read, nil
	}
	if err := xml.Unmarshal(w.body.Bytes(), &read); err != nil {
		read.Result, read.Reference = resultUnread, ""
	}
	return read, nil
}

// call serves a machine's request in this process, from the browser's address.
// Handlers expect a body that is never nil, as net/http's server provides it; a
// client's request may have none.
func (d *Door) call(c echo.Context, r *http.Request) *recorder {
	from := c.Request()
	if r.Body == nil {
		r.Body = http.NoBody
	}
	r.Host, r.RemoteAddr, r.RequestURI = from.Host, from.RemoteAddr, r.URL.RequestURI()
	w := &recorder{header: http.Header{}}
	d.OSMP.ServeHTTP(w, r)
	return w
}

// recorder keeps an answer.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (w *recorder) Header() http.Header { return w.header }

func (w *recorder) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
}

func (w *recorder) Write(b []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(b)
}
