package smsreceipt_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"elsom/internal/credential"
	"elsom/internal/fault"
	"elsom/internal/notify/sms"
	"elsom/web/smsreceipt"
)

// register authenticates one gateway, at one address.
type register struct{ err error }

func (g register) Authenticate(_ context.Context, code, password string, from netip.Addr) (credential.Gateway, error) {
	if g.err != nil {
		return credential.Gateway{}, g.err
	}
	if code != "kannel" || password != "pw" || from != netip.MustParseAddr("192.0.2.1") {
		return credential.Gateway{}, fault.New(fault.Forbidden, "test", "")
	}
	return credential.Gateway{Code: code, Scopes: []credential.Scope{credential.Receipts}}, nil
}

// messages records receipts.
type messages struct {
	got []sms.Receipt
	err error
}

func (s *messages) Receive(_ context.Context, r sms.Receipt) error {
	s.got = append(s.got, r)
	return s.err
}

// call sends a receipt and returns the answer and the log.
func call(t *testing.T, g register, s *messages, query, user, password string) (*httptest.ResponseRecorder, string) {
	t.Helper()
	var logged bytes.Buffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewJSONHandler(&logged, nil)))
	defer slog.SetDefault(before)
	request := httptest.NewRequest(http.MethodGet, "/sms/dlr?"+query, nil)
	if user != "" {
		request.SetBasicAuth(user, password)
	}
	answer := httptest.NewRecorder()
	e := echo.New()
	e.IPExtractor = echo.ExtractIPDirect()
	e.GET("/sms/dlr", smsreceipt.New(g, s).Handle)
	e.ServeHTTP(answer, request)
	return answer, logged.String()
}

func TestReceipts(t *testing.T) {
	for kind, want := range map[string]sms.State{
		"1": sms.Delivered, "2": sms.Failed, "4": sms.Sent, "8": sms.Sent, "16": sms.Failed,
	} {
		s := &messages{}
		answer, log := call(t, register{}, s, "type="+kind+"&token=t0ken", "kannel", "pw")
		if answer.Code != http.StatusOK || len(s.got) != 1 || s.got[0] != (sms.Receipt{Token: "t0ken", State: want}) {
			t.Errorf("type %s: %d, %+v", kind, answer.Code, s.got)
		}
		if strings.Contains(log, "t0ken") || !strings.Contains(log, "receipt") {
			t.Errorf("logged %s", log)
		}
	}
}

func TestUnknownCallersAreRefused(t *testing.T) {
	for _, login := range [][2]string{{"", ""}, {"kannel", "PW"}, {"kannel", ""}, {"other", "pw"}} {
		s := &messages{}
		answer, log := call(t, register{}, s, "type=1&token=t0ken", login[0], login[1])
		if answer.Code != http.StatusUnauthorized || answer.Header().Get("WWW-Authenticate") == "" || len(s.got) != 0 {
			t.Errorf("%v: %d, %v", login, answer.Code, s.got)
		}
		if strings.Contains(log, "t0ken") || (login[1] != "" && strings.Contains(log, login[1]+`"`)) {
			t.Errorf("logged %s", log)
		}
	}
	s := &messages{}
	tooMany := fault.New(fault.TooMany, "test", "").After(90 * time.Second)
	answer, _ := call(t, register{tooMany}, s, "type=1&token=t0ken", "not a code: Pa55word", "pw")
	if answer.Code != http.StatusTooManyRequests || answer.Header().Get("Retry-After") != "90" || len(s.got) != 0 {
		t.Errorf("too many: %d, %v", answer.Code, answer.Header())
	}
}

func TestMalformedReceipts(t *testing.T) {
	long := strings.Repeat("x", 101)
	for _, query := range []string{
		"", "type=1", "token=a", "type=3&token=a", "type=x&token=a", "type=1&type=2&token=a", "type=1&token=a&token=b", "type=1&token=" + long,
	} {
		s := &messages{}
		answer, _ := call(t, register{}, s, query, "kannel", "pw")
		if answer.Code != http.StatusBadRequest || len(s.got) != 0 {
			t.Errorf("%s: %d, %v", query, answer.Code, s.got)
		}
	}
}

// Each kind of error has a status.
func TestStatusOfEachErrorKind(t *testing.T) {
	for kind, want := range map[fault.Kind]int{
		fault.NotFound: http.StatusNotFound, fault.Invalid: http.StatusBadRequest,
		fault.Unavailable: http.StatusServiceUnavailable, fault.Internal: http.StatusServiceUnavailable, fault.Unknown: http.StatusServiceUnavailable,
	} {
		s := &messages{err: fault.New(kind, "test", "")}
		answer, log := call(t, register{}, s, "type=1&"+url.Values{"token": {"t0ken"}}.Encode(), "kannel", "pw")
		if answer.Code != want || answer.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %d, want %d", kind, answer.Code, want)
		}
		if strings.Contains(log, "t0ken") {
			t.Errorf("logged %s", log)
		}
	}
}
