package main

import (
	"bytes"
	_ "embed"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/a-h/templ"

	"elsom/internal/inn"
	"elsom/internal/money"
	"elsom/templates/component"
	pages "elsom/templates/sochipage"
)

// Lengths of the lists of payments.
const (
	frontPayments   = 30
	accountPayments = 100
)

//go:embed sochi.css
var style []byte

func (h *server) style(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/css; charset=utf-8")
	_, _ = w.Write(style)
}

func (h *server) front(w http.ResponseWriter, r *http.Request) {
	h.showFront(w, r, http.StatusOK, component.Input{}, switchInput{}, nil)
}

// showFront renders the front page with the typed values and their errors.
func (h *server) showFront(w http.ResponseWriter, r *http.Request, status int, search component.Input, typed switchInput, problem error) {
	list, err := h.books.last(r.Context(), "", "", frontPayments)
	if err != nil {
		h.broken(w, r)
		return
	}
	front := pages.Front{Search: search, Payments: paymentLines(list), Switches: h.switchForm(typed)}
	switch {
	case problem == nil:
	case errors.Is(problem, errSeconds):
		front.Switches.Seconds.Error = problem.Error()
	case errors.Is(problem, errTimes):
		front.Switches.Times.Error = problem.Error()
	default:
		front.Problem = problem.Error()
	}
	for _, s := range services {
		front.Providers = append(front.Providers, pages.Provider{Title: s.title, Path: s.path})
	}
	show(w, r, status, pages.FrontPage(front))
}

// find redirects from a typed ИНН to the company's page.
func (h *server) find(w http.ResponseWriter, r *http.Request) {
	typed := r.URL.Query().Get("inn")
	number, err := inn.Parse(typed)
	if err != nil {
		search := component.Input{Value: typed, Error: "ИНН — это 14 цифр. Проверьте номер."}
		h.showFront(w, r, http.StatusUnprocessableEntity, search, switchInput{}, nil)
		return
	}
	http.Redirect(w, r, "/companies/"+number.String(), http.StatusSeeOther) //nolint:gosec // 14 digits and nothing else
}

func (h *server) company(w http.ResponseWriter, r *http.Request) {
	s, _ := serviceByCode(dostek)
	h.account(w, r, s, "ИНН")
}

func (h *server) contract(w http.ResponseWriter, r *http.Request) {
	s, ok := serviceByCode(r.PathValue("service"))
	if !ok || s.code == dostek {
		h.notFound(w, r)
		return
	}
	h.account(w, r, s, "Номер договора")
}

// accountJSON returns the JSON of an account; the balance is in tyiyn.
func accountJSON(s service, number string, balance money.Amount) any {
	if s.code == dostek {
		return struct {
			INN     string `json:"inn"`
			Name    string `json:"name"`
			Balance int64  `json:"balance"`
		}{number, s.name(number), int64(balance)}
	}
	return struct {
		Account string `json:"account"`
		Name    string `json:"name"`
		Balance int64  `json:"balance"`
	}{number, s.name(number), int64(balance)}
}

// account renders an account as a page or as JSON.
func (h *server) account(w http.ResponseWriter, r *http.Request, s service, label string) {
	number := r.PathValue("account")
	if !s.wellFormed(number) {
		h.notFound(w, r)
		return
	}
	balance, err := h.books.balance(r.Context(), s.code, number)
	if err != nil {
		h.broken(w, r)
		return
	}
	if wantsJSON(r) {
		writeJSON(w, http.StatusOK, accountJSON(s, number, balance))
		return
	}
	list, err := h.books.last(r.Context(), s.code, number, accountPayments)
	if err != nil {
		h.broken(w, r)
		return
	}
	page := pages.Account{
		Service: s.title, Label: label, Shown: s.displayed(number),
		Name: s.name(number), Balance: balance, Payments: paymentLines(list),
	}
	w.Header().Set("Vary", "Accept")
	show(w, r, http.StatusOK, pages.AccountPage(page))
}

// setSwitches applies the form; clients that ask for JSON get 204.
func (h *server) setSwitches(w http.ResponseWriter, r *http.Request) {
	typed := switchInput{
		service: r.PostFormValue("service"), command: r.PostFormValue("command"), mode: r.PostFormValue("mode"),
		seconds: r.PostFormValue("seconds"), result: r.PostFormValue("result"), times: r.PostFormValue("times"),
	}
	service, command, o, err := typed.parse()
	switch {
	case err != nil && wantsJSON(r):
		writeJSON(w, http.StatusUnprocessableEntity, map[string]string{"error": err.Error()})
	case err != nil:
		h.showFront(w, r, http.StatusUnprocessableEntity, component.Input{}, typed, err)
	default:
		h.switches.put(service, command, o)
		if wantsJSON(r) {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		http.Redirect(w, r, "/#switches", http.StatusSeeOther)
	}
}

// switchForm returns the form of the switches with the typed values.
func (h *server) switchForm(typed switchInput) pages.Switches {
	s := pages.Switches{
		Services: []pages.Choice{{Value: all, Label: "все услуги"}},
		Commands: []pages.Choice{
			{Value: commandPay, Label: "pay — оплата"}, {Value: commandCheck, Label: "check — проверка"}, {Value: all, Label: "обе"},
		},
		Seconds: component.Input{Value: typed.seconds}, Times: component.Input{Value: typed.times},
	}
	for _, one := range services {
		s.Services = append(s.Services, pages.Choice{Value: one.code, Label: one.title})
	}
	for _, m := range modes {
		s.Modes = append(s.Modes, pages.Choice{Value: m.code, Label: m.title})
	}
	for _, result := range refusals {
		n := strconv.Itoa(result)
		s.Refusals = append(s.Refusals, pages.Choice{Value: n, Label: n + " — " + comments[result]})
	}
	selectOne(s.Services, cmpOr(typed.service, dostek))
	selectOne(s.Commands, cmpOr(typed.command, commandPay))
	selectOne(s.Modes, cmpOr(typed.mode, normal))
	selectOne(s.Refusals, cmpOr(typed.result, "300"))
	for _, at := range switchKeys() {
		if o, ok := h.switches.current(at); ok {
			s.Set = append(s.Set, switchLine(at, o))
		}
	}
	return s
}

func selectOne(choices []pages.Choice, value string) {
	for i := range choices {
		choices[i].Selected = choices[i].Value == value
	}
}

func switchLine(at switchKey, o behavior) pages.ActiveSwitch {
	s, _ := serviceByCode(at.service)
	l := pages.ActiveSwitch{Service: s.title, Command: at.command, Mode: modeTitle(o.mode), Left: o.left}
	switch o.mode {
	case slow:
		l.Detail = strconv.Itoa(int(o.delay/time.Second)) + " с"
	case refuse:
		l.Detail = "код " + strconv.Itoa(o.result)
	}
	return l
}

func paymentLines(list []payment) []pages.Payment {
	lines := make([]pages.Payment, 0, len(list))
	for _, p := range list {
		s, _ := serviceByCode(p.Service)
		line := pages.Payment{
			At: p.at(), Service: s.title, TxnID: p.TxnID, Account: p.Account,
			Sum: p.Sum, Result: p.Result, Comment: comments[p.Result],
		}
		if s.wellFormed(p.Account) {
			line.Href, line.Name = s.page(p.Account), s.name(p.Account)
			line.Account = s.displayed(p.Account)
		}
		lines = append(lines, line)
	}
	return lines
}

func (h *server) notFound(w http.ResponseWriter, r *http.Request) {
	if wantsJSON(r) {
		writeJSON(w, http.StatusNotFound, map[string]string{"error": "not found"})
		return
	}
	show(w, r, http.StatusNotFound, pages.FailPage(pages.Fail{
		Title: "Страница не найдена", Text: "Проверьте номер: ИНН — это 14 цифр, номер договора — от 3 до 20 цифр и латинских букв.",
	}))
}

func (h *server) broken(w http.ResponseWriter, r *http.Request) {
	if wantsJSON(r) {
		writeJSON(w, http.StatusInternalServerError, map[string]string{"error": "the books can't be read"})
		return
	}
	show(w, r, http.StatusInternalServerError, pages.FailPage(pages.Fail{
		Title: "Книги не читаются", Text: "База заменителя не отвечает. Попробуйте ещё раз или перезапустите его.",
	}))
}

// show renders the whole page before it sends the first byte.
func show(w http.ResponseWriter, r *http.Request, status int, page templ.Component) {
	var b bytes.Buffer
	if err := page.Render(r.Context(), &b); err != nil {
		http.Error(w, "the page can't be rendered", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = b.WriteTo(w)
}
