package ussd

import (
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"elsom/internal/fault"
)

// Values of ussd_service_op, SMPP 3.4.
const (
	smppBegin   = 1  // the phone dials
	smppRequest = 2  // a screen that expects an input
	smppEnd     = 17 // the last screen
	smppAnswer  = 18 // an input
)

// Limits of an input and of Kannel's header, in bytes.
const (
	maxTyped = 1 << 10
	maxMeta  = 1 << 10
)

// HandleKannel answers POST /ussd/kannel: an input over SMPP, from Kannel's
// sms-service. The input is the body; number, id and time are in the query; the
// session's SMPP fields are in a header of the request and of the response.
//
// An authenticated gateway always gets 200: for any other status Kannel shows the
// phone a text of its own.
func (h *Handler) HandleKannel(c echo.Context) error {
	gateway, answered, err := h.kannelAuth.Caller(c.Request().Context(), c)
	if answered {
		return err
	}
	in, f, ok := readKannel(c.Request())
	if !ok { // an SMS to the short number, or malformed
		h.log.InfoContext(c.Request().Context(), "ussd: not an input of a session", "gateway", gateway.Code)
		//mutant:replace StatusOK => StatusBadRequest TestKannelMalformedRequests
		return c.NoContent(http.StatusOK)
	}
	if err != nil {
		return f.respond(c, endScreen("", kindMessages[fault.KindOf(err)]))
	}
	in.Gateway = gateway.Code
	screen, err := h.Respond(c.Request().Context(), in)
	if err != nil {
		h.log.WarnContext(c.Request().Context(), "ussd: request failed", "gateway", gateway.Code, "error", err)
	}
	return f.respond(c, screen)
}

// smppFields are the SMPP fields of a session.
type smppFields struct {
	op int
	// session is its_session_info: the session's number and its step.
	session []byte
}

func readKannel(r *http.Request) (in Input, f smppFields, ok bool) {
	f, ok = readMeta(r.Header.Get("X-Kannel-Meta-Data"))
	query := r.URL.Query()
	for _, name := range []string{"from", "id", "at"} {
		ok = ok && len(query[name]) == 1
	}
	seconds, err := strconv.ParseInt(query.Get("at"), 10, 64)
	body, errBody := io.ReadAll(io.LimitReader(r.Body, maxTyped+1))
	if !ok || err != nil || errBody != nil || len(body) > maxTyped || query.Get("id") == "" {
		return in, f, false
	}
	in = Input{
		// The first octet identifies the session; the second counts its steps.
		Session: hex.EncodeToString(f.session[:1]), Phone: query.Get("from"), ServiceCode: ServiceCode, Style: Numbered,
		//mutant:replace ("id") => ("id")+strconv.FormatInt(time.Now().UnixNano(), 10) TestKannelPaysOnce
		ID: query.Get("id"), Text: strings.ToValidUTF8(string(body), ""), At: time.Unix(seconds, 0),
	}
	switch f.op {
	case smppBegin:
		in.ServiceCode, in.Text = in.Text, ServiceCode // what was dialed
	case smppAnswer:
	default:
		return in, f, false
	}
	return in, f, true
}

// readMeta reads X-Kannel-Meta-Data: ?smpp?ussd_service_op=%12&its_session_info=%07%00&
// The operation is an octet in a request and a number in a response.
func readMeta(header string) (f smppFields, ok bool) {
	header, ok = strings.CutPrefix(header, "?smpp?")
	if !ok || len(header) > maxMeta {
		return f, false
	}
	header, _, _ = strings.Cut(header, "?") // of another group
	values, err := url.ParseQuery(header)
	if err != nil {
		return f, false
	}
	op, session := values.Get("ussd_service_op"), values.Get("its_session_info")
	if len(op) != 1 || len(session) != 2 {
		return f, false
	}
	return smppFields{op: int(op[0]), session: []byte(session)}, true
}

// respond writes a screen in Kannel's format.
func (f smppFields) respond(c echo.Context, s Screen) error {
	op := smppRequest
	if s.End {
		op = smppEnd
	}
	coding := "0"
	if !isGSM(s.Text) {
		coding = "2" // UCS-2, for Cyrillic
	}
	h := c.Response().Header()
	h.Set("Cache-Control", "no-store")
	h.Set("X-Kannel-BInfo", "USSD")
	h.Set("X-Kannel-Coding", coding)
	h.Set("X-Kannel-Meta-Data", fmt.Sprintf("?smpp?ussd_service_op=%d&its_session_info=%%%02x%%%02x&", op, f.session[0], f.session[1]))
	return c.Blob(http.StatusOK, "text/plain; charset=utf-8", []byte(s.Text))
}
