package dev

import (
	"bytes"
	"encoding/xml"
	"net/http"
	"net/url"

	"github.com/labstack/echo/v4"

	"elsom/internal/cashin"
)

// osmpReply is an OSMP response. Result is valid only if status is 200.
type osmpReply struct {
	status    int
	Result    int    `xml:"result"`
	Reference string `xml:"prv_txn"`
}

// resultMalformed is the result of a body that is not an OSMP response.
const resultMalformed = -1

// callOSMP calls /osmp with the agent's credentials, from the browser's address.
func (h *Handler) callOSMP(c echo.Context, agent cashin.NewAgent, parameters url.Values) (osmpReply, error) {
	if h.server == nil {
		return osmpReply{}, errOSMP
	}
	r, err := http.NewRequestWithContext(c.Request().Context(), http.MethodGet, "/osmp?"+parameters.Encode(), nil)
	if err != nil {
		return osmpReply{}, err
	}
	r.SetBasicAuth(agent.Code, agent.Password)
	w := h.call(c, r)
	read := osmpReply{status: w.status}
	if w.status != http.StatusOK {
		return read, nil
	}
	if err := xml.Unmarshal(w.body.Bytes(), &read); err != nil {
		read.Result, read.Reference = resultMalformed, ""
	}
	return read, nil
}

// call serves a request in this process, from the browser's address.
// Handlers expect a body that is never nil, as net/http's server provides it; a
// client's request may have none.
func (h *Handler) call(c echo.Context, r *http.Request) *recorder {
	from := c.Request()
	if r.Body == nil {
		r.Body = http.NoBody
	}
	r.Host, r.RemoteAddr, r.RequestURI = from.Host, from.RemoteAddr, r.URL.RequestURI()
	w := &recorder{header: http.Header{}}
	h.server.ServeHTTP(w, r)
	return w
}

// recorder stores a response.
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
