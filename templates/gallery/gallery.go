// Package gallery renders every page of the portal in every state with fixed data,
// for contact sheets and for tests that cover all pages.
//
// No program serves it.
package gallery

import (
	"strings"
	"time"

	"github.com/a-h/templ"

	"elsom/internal/i18n"
	"elsom/internal/money"
	"elsom/templates/component"
	"elsom/templates/layout"
	"elsom/templates/page"
)

// State is one page in one state.
type State struct {
	// Name is unique and usable as a file name: "pay-wrong".
	Name string
	// Group is the contact sheet.
	Group string
	// Render returns the page in a language.
	Render func(i18n.Lang) templ.Component
}

const (
	digits     = "0700123456"
	wallet     = "+996\u00a0700\u00a0123\u00a0456"
	companyINN = "0020\u00a07199\u00a06100\u00a017"
	typed      = "0020 7199 6100 17"
	payCode    = "482915730264"
)

var at = time.Date(2026, time.November, 22, 15, 15, 0, 0, time.UTC)

// localized is a text of the catalog in all languages.
type localized struct{ ru, ky, en string }

func (t localized) in(l i18n.Lang) string {
	switch l {
	case i18n.KY:
		return t.ky
	case i18n.EN:
		return t.en
	}
	return t.ru
}

var (
	other    = localized{"Другие", "Башкалар", "Other"}
	internet = localized{"Интернет", "Интернет кызматы", "Internet"}
	innLabel = localized{"ИНН компании", "Компаниянын ИНН", "Company INN"}
	innHint  = localized{
		"14 цифр из свидетельства о регистрации компании.", "Компаниянын каттоо күбөлүгүндөгү 14 цифра.",
		"14 digits from the company's registration certificate.",
	}
	desk = localized{"Касса KICB", "KICB кассасы", "KICB desk"}
)

// visitor returns the frame of a visitor.
func visitor(l i18n.Lang, path string) layout.Frame {
	return layout.Frame{Lang: l, CSRF: "token", Path: path}
}

// holder returns the frame of a signed-in customer.
func holder(l i18n.Lang, path string) layout.Frame {
	f := visitor(l, path)
	f.Person, f.IdleSeconds = wallet, 900
	return f
}

// wrong returns an input with an error.
func wrong(l i18n.Lang, value, key string) component.Input {
	return component.Input{Value: value, Error: l.T(key)}
}

func operations(l i18n.Lang) []page.Operation {
	out := func(name, detail string, a money.Amount, s page.Status, ago time.Duration) page.Operation {
		return page.Operation{
			Href: "/history/1", Kind: page.Payment, Name: name, Detail: detail,
			Amount: -a, Status: s, At: at.Add(-ago),
		}
	}
	list := []page.Operation{
		out("DosTek group", companyINN, 250_50, page.Processing, 0),
		out("DosTek group", companyINN, 1_250_00, page.Completed, 26*time.Hour),
		{
			Href: "/history/2", Kind: page.CashIn, Name: "Мобильник",
			Amount: 2_000_00, Status: page.Completed, At: at.Add(-27 * time.Hour),
		},
		{
			Href: "/history/4", Kind: page.Sent, Name: otherName, Detail: otherNumber,
			Amount: -150_00, Status: page.Completed, At: at.Add(-50 * time.Hour),
		},
		{
			Href: "/history/5", Kind: page.Received, Name: strings.ReplaceAll(otherNumber, "\u00a0", " "),
			Amount: 300_00, Status: page.Completed, At: at.Add(-51 * time.Hour),
		},
		out("Hoster.kg", "20451", 640_00, page.Refunded, 75*time.Hour),
		{
			Href: "/history/3", Kind: page.CashIn, Name: desk.in(l),
			Amount: 890_00, Status: page.Completed, At: at.Add(-124 * time.Hour),
		},
	}
	for i := range list {
		list[i].Number = list[i].Detail
	}
	list[1].Detail, list[1].Party, list[1].Number = payee+" · …6100\u00a017", payee, companyINN
	return list
}

// States returns every page and state, in the order in which a customer sees them.
func States() []State {
	var all []State
	for _, group := range [][]State{entering(), cabinet(), paying(), receipts(), templates(), lists(), sending(), confirming(), pins(), account(), profile(), texts(), failures()} {
		all = append(all, group...)
	}
	return all
}
