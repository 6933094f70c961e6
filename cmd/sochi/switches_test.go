package main

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"elsom/internal/biller"
	"elsom/internal/biller/osmp"
)

// setSwitch sets a switch over HTTP.
func (s *standIn) setSwitch(form url.Values) {
	s.t.Helper()
	if status, body, _ := s.do(http.MethodPost, "/switches", "application/json", form); status != http.StatusNoContent {
		s.t.Fatalf("%v: %d %s", form, status, body)
	}
}

// client returns the wallet's own OSMP client.
func (s *standIn) client(path string, timeout time.Duration) *osmp.Client {
	return osmp.New(osmp.Options{URL: s.address + path, Timeout: timeout})
}

var sampleRequest = biller.Request{
	TxnID: "1763798400000123456", Account: ourINN, Sum: 25050,
	Date: time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC),
}

const (
	patient   = 20 * time.Second
	impatient = 150 * time.Millisecond
)

func TestWalletClient(t *testing.T) {
	s := fresh(t)
	for path, account := range map[string]string{"/pay": ourINN, "/pay/hoster": "12345", "/pay/aknet": "AB12cd"} {
		c, r := s.client(path, patient), sampleRequest
		r.Account = account
		if a := c.Check(t.Context(), r); a.Outcome != biller.Good || a.Name == "" {
			t.Errorf("%s: check: %+v", path, a)
		}
		first := c.Pay(t.Context(), r)
		if first.Outcome != biller.Good || first.Reference == "" {
			t.Errorf("%s: pay: %+v", path, first)
		}
		if again := c.Pay(t.Context(), r); again != first {
			t.Errorf("%s: %+v, then %+v", path, first, again)
		}
		r.Account = "1"
		if a := c.Check(t.Context(), r); a.Outcome != biller.Refused || a.Result != 4 {
			t.Errorf("%s: check of a malformed account: %+v", path, a)
		}
	}
	s.wantBalance(25050)
}

// Each mode: the outcome at the wallet's client, whether the payment was booked,
// and that the repeat without misbehavior ends with one booking.
func TestEveryMode(t *testing.T) {
	for _, c := range []struct {
		mode    string
		timeout time.Duration
		outcome biller.Outcome
		result  int
		booked  bool
	}{
		{normal, patient, biller.Good, 0, true},
		{slow, patient, biller.Good, 0, true},
		{silentAfter, impatient, biller.Unknown, -1, true},
		{silent, impatient, biller.Unknown, -1, false},
		{dropAfter, patient, biller.Unknown, -1, true},
		{drop, patient, biller.Unknown, -1, false},
		{errorAfter, patient, biller.Unknown, -1, true},
		{errorBefore, patient, biller.Unknown, -1, false},
		{broken, patient, biller.Unknown, -1, true},
		{temporary, patient, biller.Later, 1, false},
		{unfinished, patient, biller.Later, 90, false},
		{undecided, patient, biller.Unknown, 243, false},
		{temporaryAfter, patient, biller.Later, 1, true},
		{unfinishedAfter, patient, biller.Later, 90, true},
	} {
		t.Run(c.mode, func(t *testing.T) {
			s := fresh(t)
			s.setSwitch(url.Values{"command": {all}, "mode": {c.mode}, "seconds": {"1"}})
			client := s.client("/pay", c.timeout)
			if a := client.Check(t.Context(), sampleRequest); a.Outcome != c.outcome || a.Result != c.result {
				t.Errorf("check: %+v", a)
			}
			if a := client.Pay(t.Context(), sampleRequest); a.Outcome != c.outcome || a.Result != c.result {
				t.Errorf("pay: %+v", a)
			}
			booked := map[bool]int64{true: 25050}[c.booked]
			s.wantBalance(booked)
			s.setSwitch(url.Values{"command": {all}, "mode": {normal}})
			if a := s.client("/pay", patient).Pay(t.Context(), sampleRequest); a.Outcome != biller.Good {
				t.Errorf("the repeat: %+v", a)
			}
			s.wantBalance(25050)
		})
	}
}

// In the modes that book behind 1 or 90 the repeat is refused, as by a provider that
// stores no outcomes, until the switch is reset.
func TestRepeatOfUnstoredOutcomeIsRefused(t *testing.T) {
	for _, mode := range []string{temporaryAfter, unfinishedAfter} {
		s := fresh(t)
		s.setSwitch(url.Values{"mode": {mode}})
		client := s.client("/pay", patient)
		if a := client.Pay(t.Context(), sampleRequest); a.Outcome != biller.Later || a.Reference != "" {
			t.Errorf("%s: %+v", mode, a)
		}
		for range 2 {
			if a := client.Pay(t.Context(), sampleRequest); a.Outcome != biller.Refused || a.Result != biller.ResultOther || a.Comment == "" {
				t.Errorf("%s, the repeat: %+v", mode, a)
			}
		}
		s.wantBalance(25050)
		bad := sampleRequest
		bad.TxnID, bad.Account = "77", "1"
		if a := client.Pay(t.Context(), bad); a.Outcome != biller.Refused || a.Result != biller.ResultBadAccount {
			t.Errorf("%s, a malformed account: %+v", mode, a)
		}
	}
}

func TestSlowDelaysTheResponse(t *testing.T) {
	s := fresh(t)
	s.setSwitch(url.Values{"mode": {slow}, "seconds": {"1"}})
	if a := s.client("/pay", impatient).Pay(t.Context(), sampleRequest); a.Outcome != biller.Unknown {
		t.Errorf("%+v", a)
	}
	s.wantBalance(25050) // booked although the client timed out
}

func TestSelectableRefusals(t *testing.T) {
	s := fresh(t)
	for i, result := range refusals {
		r := sampleRequest
		r.TxnID = strconv.Itoa(500 + i)
		s.setSwitch(url.Values{"mode": {refuse}, "result": {strconv.Itoa(result)}, "times": {"1"}})
		first := s.client("/pay", patient).Pay(t.Context(), r)
		if first.Outcome != biller.Refused || first.Result != result {
			t.Errorf("%d: %+v", result, first)
		}
		if again := s.client("/pay", patient).Pay(t.Context(), r); again != first {
			t.Errorf("%d: the refusal was not stored: %+v", result, again)
		}
	}
	s.wantBalance(0)
}

// A booked payment is never refused afterwards, whatever the switches are.
func TestBookedPaymentIsNotRefused(t *testing.T) {
	s := fresh(t)
	first := s.client("/pay", patient).Pay(t.Context(), sampleRequest)
	s.setSwitch(url.Values{"mode": {refuse}, "result": {"5"}})
	if again := s.client("/pay", patient).Pay(t.Context(), sampleRequest); again != first {
		t.Errorf("%+v after %+v", again, first)
	}
}

func TestSwitchIsLimitedToServiceCommandAndCount(t *testing.T) {
	s := fresh(t)
	s.setSwitch(url.Values{"service": {hoster}, "command": {commandPay}, "mode": {errorBefore}, "times": {"2"}})
	pay := query(commandPay, "1", "12345", "1.00")
	if status, _, _ := s.do(http.MethodGet, "/pay?"+query(commandPay, "1", ourINN, "1.00"), "", nil); status != 200 {
		t.Errorf("another service misbehaved: %d", status)
	}
	if status, _, _ := s.do(http.MethodGet, "/pay/hoster?"+query(commandCheck, "1", "12345", "1.00"), "", nil); status != 200 {
		t.Errorf("another command misbehaved: %d", status)
	}
	for i, want := range []int{500, 500, 200, 200} {
		if status, _, _ := s.do(http.MethodGet, "/pay/hoster?"+pay, "", nil); status != want {
			t.Errorf("request %d: %d, want %d", i, status, want)
		}
	}
}

func TestSwitchesForm(t *testing.T) {
	s := fresh(t)
	status, _, header := s.do(http.MethodPost, "/switches", "text/html", url.Values{"mode": {errorAfter}})
	if status != http.StatusSeeOther || header.Get("Location") != "/#switches" {
		t.Errorf("%d %s", status, header.Get("Location"))
	}
	for _, at := range switchKeys() {
		_, set := s.server.switches.current(at)
		if set != (at.command == commandPay) {
			t.Errorf("%v: set is %t; the default is pay of all services", at, set)
		}
	}
	s.setSwitch(url.Values{"service": {all}, "command": {all}, "mode": {normal}})
	if len(s.server.switches.set) != 0 {
		t.Error("a switch is set after the reset")
	}
	for name, bad := range map[string]url.Values{
		"mode": {"mode": {"x"}}, "service": {"service": {"x"}}, "command": {"command": {"x"}},
		"seconds": {"mode": {slow}, "seconds": {"601"}}, "minus": {"mode": {slow}, "seconds": {"-1"}},
		"times": {"mode": {drop}, "times": {"1.5"}}, "result": {"mode": {refuse}, "result": {"0"}}, "90": {"mode": {refuse}, "result": {"90"}},
	} {
		if status, body, _ := s.do(http.MethodPost, "/switches", "application/json", bad); status != 422 || !strings.Contains(body, "error") {
			t.Errorf("%s: %d %s", name, status, body)
		}
		status, body, _ := s.do(http.MethodPost, "/switches", "text/html", bad)
		if status != 422 || !strings.Contains(body, "<title>Ошибка: ") {
			t.Errorf("%s: page %d", name, status)
		}
	}
	if len(s.server.switches.set) != 0 {
		t.Error("an invalid form set a switch")
	}
}

func TestInvalidSecondsAreReportedAtField(t *testing.T) {
	s := fresh(t)
	_, body, _ := s.do(http.MethodPost, "/switches", "text/html", url.Values{"mode": {slow}, "seconds": {"много"}, "times": {"4"}})
	for _, want := range []string{`value="много"`, `aria-invalid="true"`, `id="seconds-error"`, `value="4"`, `<option value="slow" selected>`} {
		if !strings.Contains(body, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
}
