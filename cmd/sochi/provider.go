package main

import (
	"context"
	"encoding/xml"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"elsom/internal/biller"
	"elsom/internal/money"
)

// response is an OSMP response.
type response struct {
	XMLName   xml.Name `xml:"response"`
	TxnID     string   `xml:"osmp_txn_id"`
	Reference string   `xml:"prv_txn,omitempty"`
	Sum       string   `xml:"sum,omitempty"`
	Result    int      `xml:"result"`
	Comment   string   `xml:"comment"`
	Fields    *fields  `xml:"fields,omitempty"`
}

type fields struct {
	Name field `xml:"field1"`
}

type field struct {
	Name string `xml:"name,attr"`
	Type string `xml:"type,attr"`
	Text string `xml:",chardata"`
}

var comments = map[int]string{
	biller.ResultDone:         "OK",
	biller.ResultTemporary:    "Временная ошибка, повторите запрос позже",
	biller.ResultBadAccount:   "Неверный формат идентификатора абонента",
	biller.ResultNoAccount:    "Идентификатор абонента не найден",
	biller.ResultForbidden:    "Приём платежа запрещён провайдером",
	biller.ResultTechnical:    "Приём платежа запрещён по техническим причинам",
	biller.ResultInactive:     "Счёт абонента не активен",
	biller.ResultNotFinished:  "Проведение платежа не окончено",
	biller.ResultTooSmall:     "Сумма слишком мала",
	biller.ResultTooLarge:     "Сумма слишком велика",
	biller.ResultCannotVerify: "Невозможно проверить состояние счёта",
	biller.ResultOther:        "Другая ошибка провайдера",
}

// brokenXML is the body of mode broken, with HTTP 200.
const brokenXML = `<?xml version="1.0" encoding="UTF-8"?><response><osmp_txn_id>12`

// provider answers the protocol for one service.
func (h *server) provider(s service) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil {
			writeResponse(w, response{Result: biller.ResultOther, Comment: comments[biller.ResultOther]})
			return
		}
		command := r.Form.Get("command")
		o := h.switches.take(s.code, command)
		if h.misbehavesBefore(w, r, o) {
			return
		}
		// A payment is processed even if the caller disconnects.
		reply, err := h.process(context.WithoutCancel(r.Context()), s, r.Form, o)
		if err != nil {
			http.Error(w, "the database can't be written", http.StatusInternalServerError)
			return
		}
		if h.misbehavesAfter(w, r, o) {
			return
		}
		writeResponse(w, reply)
	}
}

// misbehavesBefore applies the modes that process nothing. It reports whether the
// request is answered.
func (h *server) misbehavesBefore(w http.ResponseWriter, r *http.Request, o behavior) bool {
	switch o.mode {
	case silent:
		h.wait(r.Context(), forever)
		panic(http.ErrAbortHandler)
	case drop:
		panic(http.ErrAbortHandler)
	case errorBefore:
		http.Error(w, "misbehaving as set", http.StatusInternalServerError)
	case temporary:
		notFinal(w, r, biller.ResultTemporary)
	case unfinished:
		notFinal(w, r, biller.ResultNotFinished)
	case undecided:
		notFinal(w, r, biller.ResultCannotVerify)
	default:
		return false
	}
	return true
}

// notFinal sends a result that is not final and not stored.
func notFinal(w http.ResponseWriter, r *http.Request, result int) {
	writeResponse(w, response{TxnID: echo(r.Form), Result: result, Comment: comments[result]})
}

// misbehavesAfter applies the modes that lose the response of a processed request.
// It reports whether the request is answered.
func (h *server) misbehavesAfter(w http.ResponseWriter, r *http.Request, o behavior) bool {
	switch o.mode {
	case slow:
		h.wait(r.Context(), o.delay)
		return false
	case silentAfter:
		h.wait(r.Context(), forever)
		panic(http.ErrAbortHandler)
	case dropAfter:
		panic(http.ErrAbortHandler)
	case errorAfter:
		http.Error(w, "misbehaving as set", http.StatusInternalServerError)
	case broken:
		w.Header().Set("Content-Type", "text/xml; charset=utf-8")
		_, _ = w.Write([]byte(brokenXML))
	default:
		return false
	}
	return true
}

// forever exceeds every caller's timeout.
const forever = time.Hour

// wait returns early when the caller disconnects or the stand-in stops.
func (h *server) wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	case <-h.stopped:
	}
}

// The formats of the parameters.
var (
	txnIDForm = regexp.MustCompile(`^[0-9]{1,28}$`)
	sumForm   = regexp.MustCompile(`^-?[0-9]{1,12}(\.[0-9]{1,2})?$`)
)

const (
	accountLength = 200
	dateForm      = "20060102150405"
)

// request is a well-formed OSMP request.
type request struct {
	txnID, account, date string
	sum                  money.Amount
}

// parseRequest parses the parameters; each may be given once.
func parseRequest(values url.Values, command string) (request, bool) {
	for _, name := range []string{"command", "txn_id", "txn_date", "account", "sum"} {
		if len(values[name]) > 1 {
			return request{}, false
		}
	}
	q := request{txnID: values.Get("txn_id"), account: values.Get("account"), date: values.Get("txn_date")}
	if !txnIDForm.MatchString(q.txnID) || !utf8.ValidString(q.account) || len(q.account) > accountLength {
		return request{}, false
	}
	text := values.Get("sum")
	if text == "" && command == commandCheck {
		return q, true
	}
	if !sumForm.MatchString(text) {
		return request{}, false
	}
	sum, err := money.Parse(strings.TrimPrefix(text, "-"))
	if err != nil {
		return request{}, false
	}
	if q.sum = sum; text[0] == '-' {
		q.sum = -sum
	}
	if command == commandPay {
		if _, err := time.Parse(dateForm, q.date); err != nil {
			return request{}, false
		}
	}
	return q, true
}

// echo returns the txn_id if it is well-formed.
func echo(values url.Values) string {
	if id := values.Get("txn_id"); txnIDForm.MatchString(id) {
		return id
	}
	return ""
}

// process handles a request by the protocol.
func (h *server) process(ctx context.Context, s service, values url.Values, o behavior) (response, error) {
	command := values.Get("command")
	q, ok := parseRequest(values, command)
	if !ok || (command != commandCheck && command != commandPay) {
		return response{TxnID: echo(values), Result: biller.ResultOther, Comment: "Запрос не по протоколу"}, nil
	}
	result := regularResult(s, q, command)
	if o.mode == refuse {
		result = o.result
	}
	if command == commandCheck {
		if as := o.bookedAs(); as != 0 && result == biller.ResultDone {
			result = as
		}
		reply := response{TxnID: q.txnID, Result: result, Comment: comments[result]}
		if result == biller.ResultDone {
			reply.Fields = &fields{Name: field{Name: "FIO", Type: "disp", Text: s.name(q.account)}}
		}
		return reply, nil
	}
	return h.pay(ctx, s, q, result, o)
}

// regularResult returns the result of a request without misbehavior. A check may
// have no sum.
func regularResult(s service, q request, command string) int {
	switch {
	case !s.wellFormed(q.account):
		return biller.ResultBadAccount
	case q.sum < 0, q.sum == 0 && command == commandPay:
		return biller.ResultTooSmall
	}
	return biller.ResultDone
}

// pay stores the result or returns the stored one. In the modes of bookedAs the
// response to a booked payment has another result.
func (h *server) pay(ctx context.Context, s service, q request, result int, o behavior) (response, error) {
	wanted := payment{
		Service: s.code, TxnID: q.txnID, Account: q.account, Sum: q.sum,
		Result: result, TxnDate: q.date, BookedAt: h.now().UnixMilli(),
	}
	stored, repeated, err := h.books.book(ctx, wanted)
	if err != nil {
		return response{}, err
	}
	reply := response{TxnID: q.txnID, Sum: plain(q.sum)}
	if !stored.same(wanted) {
		reply.Result, reply.Comment = biller.ResultOther, "Такой txn_id уже был с другим счётом или суммой"
		return reply, nil
	}
	reply.Reference = strconv.FormatInt(stored.Reference, 10)
	reply.Result, reply.Comment = stored.Result, comments[stored.Result]
	if as := o.bookedAs(); as != 0 && stored.Result == biller.ResultDone {
		reply.Reference, reply.Result, reply.Comment = "", as, comments[as]
		if repeated {
			reply.Result, reply.Comment = biller.ResultOther, "Платёж с таким txn_id уже есть"
		}
	}
	return reply, nil
}

// plain formats a sum for the protocol, negative ones too.
func plain(sum money.Amount) string {
	if sum < 0 {
		return "-" + (-sum).Dot()
	}
	return sum.Dot()
}

func writeResponse(w http.ResponseWriter, reply response) {
	body, err := xml.MarshalIndent(reply, "", "  ")
	if err != nil {
		http.Error(w, "the answer can't be written", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/xml; charset=utf-8")
	_, _ = w.Write([]byte(xml.Header))
	_, _ = w.Write(append(body, '\n')) //nolint:gosec // escaped by encoding/xml, and not HTML
}
