package catalog_test

import (
	"strings"
	"testing"

	"elsom/internal/catalog"
	"elsom/internal/fault"
	"elsom/internal/i18n"
	"elsom/internal/money"
)

func TestIdentify(t *testing.T) {
	dostek := catalog.Service{Identifier: catalog.KindINN}
	free := catalog.Service{Identifier: catalog.KindContract}
	strict := catalog.Service{Identifier: catalog.KindContract, Pattern: `[0-9]{3}|abc`}
	for _, c := range []struct {
		service   catalog.Service
		text      string
		want, key string
	}{
		{dostek, "00207199610017", "00207199610017", ""},
		{dostek, " 0020 7199 6100-17 ", "00207199610017", ""},
		{dostek, "\u20660020.7199.6100.17\u2069", "00207199610017", ""},
		{dostek, "", "", "catalog.inn_empty"},
		{dostek, "0020719961001", "", "catalog.inn_length"},
		{dostek, "002071996100177", "", "catalog.inn_length"},
		{dostek, "0020719961001a", "", "catalog.inn_digits"},
		{free, " AB-12/3 ", "AB-12/3", ""},
		{free, "\u202aAB-\u200b12/3\ufeff\t", "AB-12/3", ""},
		{free, "", "", "catalog.contract_empty"},
		{free, "12 34", "", "catalog.contract_form"},
		{free, strings.Repeat("7", catalog.MaxIdentifier), strings.Repeat("7", catalog.MaxIdentifier), ""},
		{free, strings.Repeat("7", catalog.MaxIdentifier+1), "", "catalog.contract_form"},
		{free, "12\x0034", "", "catalog.contract_form"},
		{free, "12\xff34", "", "catalog.contract_form"},
		{strict, "123", "123", ""},
		{strict, "abc", "abc", ""},
		{strict, "1234", "", "catalog.contract_form"},
		{strict, "xabc", "", "catalog.contract_form"},
		{strict, "123\n", "123", ""},
		{strict, "123\n456", "", "catalog.contract_form"},
	} {
		got, err := c.service.Identify(c.text)
		if got != c.want || (err == nil) != (c.key == "") {
			t.Errorf("%q: %q, %v", c.text, got, err)
		}
		if f := fault.As(err); err != nil && (f.Kind != fault.Invalid || f.Field != "account" || string(f.Reason) != c.key) {
			t.Errorf("%q: %+v", c.text, f)
		}
	}
}

func TestAccepts(t *testing.T) {
	s := catalog.Service{Minimum: 1000, Maximum: 5000}
	for amount, key := range map[money.Amount]string{
		999: "catalog.below_minimum", 1000: "", 5000: "", 5001: "catalog.above_maximum",
	} {
		err := s.Accepts(amount)
		if key == "" {
			if err != nil {
				t.Errorf("%s: %v", amount, err)
			}
			continue
		}
		f := fault.As(err)
		if f.Kind != fault.Limit || f.Field != "amount" || string(f.Reason) != key {
			t.Errorf("%s: %+v", amount, f)
		}
		for _, lang := range i18n.Langs() {
			if text := lang.T(string(f.Reason), f.Args); strings.Contains(text, "⟨") || !strings.Contains(text, "0,00\u00a0") {
				t.Errorf("%s: %q", lang, text)
			}
		}
	}
	if err := (catalog.Service{}).Accepts(1); err != nil {
		t.Errorf("without bounds: %v", err)
	}
}
