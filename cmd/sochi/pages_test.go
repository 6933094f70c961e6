package main

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
)

func TestCompanyAsJSON(t *testing.T) {
	s := fresh(t)
	s.pay("1", ourINN, "250.50")
	status, body, header := s.do(http.MethodGet, "/companies/"+ourINN, "application/json", nil)
	want := `{"inn":"00207199610017","name":"` + companyName(ourINN) + `","balance":25050}`
	if status != 200 || strings.TrimSpace(body) != want || header.Get("Content-Type") != "application/json" {
		t.Errorf("%d %s\nwant %s", status, body, want)
	}
	if s.balance("/companies/99999999999999") != 0 {
		t.Error("an unpaid company has a balance")
	}
	status, body, _ = s.do(http.MethodGet, "/contracts/aknet/77", "application/json", nil)
	if status != 404 || strings.TrimSpace(body) != `{"error":"not found"}` {
		t.Errorf("%d %s", status, body)
	}
}

func TestCompanyPage(t *testing.T) {
	s := fresh(t)
	s.pay("1763798400000123456", ourINN, "250.50")
	page := s.page("/companies/"+ourINN, 200)
	if got, _ := page.Find("[data-balance]").Attr("data-balance"); got != "25050" {
		t.Errorf("data-balance = %q", got)
	}
	text := page.Find("main").Text()
	for _, want := range []string{companyName(ourINN), "250,50", "1763798400000123456", "0020\u00a07199\u00a06100\u00a017"} {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	for _, bad := range []string{"/companies/0020719961001", "/companies/0020719961001x", "/companies/<script>", "/contracts/hoster/1", "/contracts/dostek/" + ourINN, "/contracts/x/123", "/nowhere"} {
		s.page(bad, 404)
	}
}

func TestFindCompany(t *testing.T) {
	s := fresh(t)
	for _, typed := range []string{ourINN, "0020 7199 6100 17", " 0020-7199-6100-17 "} {
		status, _, header := s.do(http.MethodGet, "/companies?inn="+url.QueryEscape(typed), "text/html", nil)
		if status != http.StatusSeeOther || header.Get("Location") != "/companies/"+ourINN {
			t.Errorf("%q: %d %s", typed, status, header.Get("Location"))
		}
	}
	for _, typed := range []string{"", "123", "abc", `"><b>`} {
		page := s.page("/companies?inn="+url.QueryEscape(typed), http.StatusUnprocessableEntity)
		field := page.Find("input#inn")
		if value, _ := field.Attr("value"); value != typed {
			t.Errorf("%q is shown as %q", typed, value)
		}
		if invalid, _ := field.Attr("aria-invalid"); invalid != "true" {
			t.Errorf("%q: the field isn't marked", typed)
		}
	}
}

func TestFrontPageShowsPaymentsAndSwitches(t *testing.T) {
	s := fresh(t)
	page := s.page("/", 200)
	if page.Find(`[data-misbehaving="false"]`).Length() != 1 {
		t.Error("the page shows a misbehavior that is not set")
	}
	s.pay("11", ourINN, "1.00")
	s.pay("12", "12", "1.00")
	s.ask("/pay/aknet", query(commandPay, "13", "555", "1.00"))
	s.setSwitch(url.Values{"service": {"dostek"}, "mode": {"slow"}, "seconds": {"7"}, "times": {"3"}})
	page = s.page("/", 200)
	for id, href := range map[string]string{"11": "/companies/" + ourINN, "12": "", "13": "/contracts/aknet/555"} {
		row := page.Find(`li[data-txn-id="` + id + `"]`)
		if got := row.Find("a").AttrOr("href", ""); row.Length() != 1 || got != href {
			t.Errorf("payment %s: %d rows, link %q", id, row.Length(), got)
		}
	}
	if text := page.Find(`li[data-txn-id="11"]`).Text(); !strings.Contains(text, "0020\u00a07199\u00a06100\u00a017") {
		t.Errorf("the ИНН isn't in groups: %s", text)
	}
	refused := page.Find(`li[data-txn-id="12"]`)
	if sum := refused.Find(".row-end .row-sum-void").Text(); sum != "1,00\u00a0сом" {
		t.Errorf("the refused sum is %q", sum)
	}
	if words := refused.Find(".row-end .row-note").Text(); !strings.HasPrefix(words, "Отказ ") || strings.HasSuffix(words, ": ") {
		t.Errorf("the refused row has %q", words)
	}
	set := page.Find(`[data-misbehaving="true"]`).Text()
	for _, want := range []string{"DosTek group (СОчИ), pay", "7 с", "ещё запросов: 3"} {
		if !strings.Contains(set, want) {
			t.Errorf("%q lacks %q", set, want)
		}
	}
}

func TestLabelsBelongToFields(t *testing.T) {
	page := fresh(t).page("/", 200)
	for _, id := range []string{"inn", "service", "command", "mode", "seconds", "result", "times"} {
		if page.Find(`label[for="`+id+`"]`).Length() != 1 || page.Find("#"+id).Length() != 1 {
			t.Errorf("%s has no label of its own", id)
		}
	}
}

func TestCrossOriginFormsAreRefused(t *testing.T) {
	s := fresh(t)
	r, err := http.NewRequest(http.MethodPost, s.address+"/switches", strings.NewReader("mode=drop-before"))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", "https://evil.example")
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusForbidden {
		t.Errorf("status %d", response.StatusCode)
	}
	if o := s.server.switches.take(dostek, commandPay); o.mode != normal {
		t.Error("a form from another site set a switch")
	}
}

func TestHealthAndStyle(t *testing.T) {
	s := fresh(t)
	if status, _, _ := s.do(http.MethodGet, "/healthz", "", nil); status != 200 {
		t.Errorf("healthz: %d", status)
	}
	styles := s.page("/", 200).Find(`link[rel="stylesheet"]`)
	if styles.Length() != 2 {
		t.Errorf("%d styles", styles.Length())
	}
	for _, node := range styles.EachIter() {
		style := node.AttrOr("href", "")
		if status, _, header := s.do(http.MethodGet, style, "", nil); status != 200 || !strings.HasPrefix(header.Get("Content-Type"), "text/css") {
			t.Errorf("%s: %d %s", style, status, header.Get("Content-Type"))
		}
	}
}
