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

// Operations of a USSD dialogue over SMPP (ussd_service_op).
const (
	smppBegin   = 1  // a phone dials
	smppRequest = 2  // we show a screen and wait
	smppEnd     = 17 // we show the last screen
	smppAnswer  = 18 // a phone answers a screen
)

// The longest that a phone can send, and that Kannel can say of it.
const (
	maxTyped = 1 << 10
	maxMeta  = 1 << 10
)

// HandleKannel answers POST /ussd/kannel: an input that came over SMPP, from
// Kannel's sms-service. The input is the body; whose it is stands in the
// address; the dialogue's fields stand in a header, and go back in one.
//
// A known gateway that may call here always gets 200: anything else Kannel would
// tell the phone in words of its own.
func (d *Handler) HandleKannel(c echo.Context) error {
	who, answered, err := d.kannelAuth.Caller(c.Request().Context(), c)
	if answered {
		return err
	}
	in, f, ok := readKannel(c.Request())
	if !ok { // not of a dialogue: an SMS to the short number, or nonsense
		d.log.InfoContext(c.Request().Context(), "ussd: no input of a dialogue", "gateway", who.Code)
		//mutant:replace StatusOK => StatusBadRequest TestKannelsNonsense
		return c.NoContent(http.StatusOK)
	}
	if err != nil {
		return f.respond(c, d.end("", kindMessages[fault.KindOf(err)]))
	}
	in.Gateway = who.Code
	screen, err := d.Respond(c.Request().Context(), in)
	if err != nil {
		d.log.WarnContext(c.Request().Context(), "ussd", "gateway", who.Code, "error", err)
	}
	return f.respond(c, screen)
}

// smppFields are those of SMPP that carry a dialogue.
type smppFields struct {
	op int
	// session is its_session_info: the dialogue's number, and where it stands.
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
		// The first octet names the dialogue; the second counts its steps.
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
// The operation is an octet when it comes in, and a number when it goes out.
func readMeta(header string) (f smppFields, ok bool) {
	header, ok = strings.CutPrefix(header, "?smpp?")
	if !ok || len(header) > maxMeta {
		return f, false
	}
	header, _, _ = strings.Cut(header, "?") // another group's
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

// respond writes a screen as Kannel reads it.
func (f smppFields) respond(c echo.Context, s Screen) error {
	op := smppRequest
	if s.End {
		op = smppEnd
	}
	coding := "0"
	if !isGSM(s.Text) {
		coding = "2" // or Kyrgyz letters are lost
	}
	h := c.Response().Header()
	h.Set("Cache-Control", "no-store")
	h.Set("X-Kannel-BInfo", "USSD")
	h.Set("X-Kannel-Coding", coding)
	h.Set("X-Kannel-Meta-Data", fmt.Sprintf("?smpp?ussd_service_op=%d&its_session_info=%%%02x%%%02x&", op, f.session[0], f.session[1]))
	return c.Blob(http.StatusOK, "text/plain; charset=utf-8", []byte(s.Text))
}
