package layout

import (
	"net/url"
	"strconv"
	"strings"

	"elsom/internal/i18n"
	"elsom/templates/component"
)

// View has the frame's data of one page.
type View struct {
	// Title is the page's title. The frame adds the brand, and "Ошибка:" if there are
	// problems.
	Title string
	// Problems are the lines of the error summary.
	Problems []component.Problem
	// Wrong adds "Ошибка:" to the title of an error page.
	Wrong bool
	// Form is the id of the form that the language switch posts, so that typed values
	// are kept; empty: the switch consists of links.
	Form string
	// Step makes the page a step of an operation: a single column and no tab bar.
	Step bool
	// Here is the current navigation entry: "cabinet", "services", "history", "settings".
	Here string
	// Wide allows two columns.
	Wide bool
	// Article sets the page as a text.
	Article bool
	// Sheet is a further style sheet, of these pages only; empty: none.
	Sheet string
	// App loads the script for installing and push notifications.
	App bool
	// Alone omits the language switch, for pages cached for use without a connection.
	Alone bool
}

// SwitchField is the field in which the language switch posts a form. The handler
// stores the language and shows the form again as typed; it does nothing else.
const SwitchField = "switch_lang"

func (v View) title(f Frame) string {
	title := v.Title + " — " + f.T("frame.brand")
	if len(v.Problems) > 0 || v.Wrong {
		return f.T("frame.error") + ": " + title
	}
	return title
}

func (v View) class() string {
	switch {
	case v.Wide:
		return "main main-wide"
	case v.Article:
		return "main main-article"
	}
	return "main"
}

type place struct{ key, href, icon string }

var places = []place{
	{"cabinet", "/cabinet", "house"},
	{"services", "/services", "layout-grid"},
	{"history", "/history", "history"},
	{"settings", "/settings", "settings"},
}

// Phone is a number to call for help.
type Phone struct{ Who, Number, Href string }

// Help returns the numbers of the call centers.
func Help(f Frame) []Phone {
	return []Phone{
		{"DosTek group", "0312\u00a0960\u00a0888", "tel:+996312960888"},
		{f.T("frame.issuer"), "0312\u00a0986\u00a0000", "tel:+996312986000"},
	}
}

// Worker returns the address of the service worker in a language.
func Worker(l i18n.Lang) string { return "/worker.js?lang=" + string(l) }

// Manifest returns the address of the web app manifest in a language.
func Manifest(l i18n.Lang) string { return "/app/" + string(l) + ".webmanifest" }

// Issuer returns the call center of the wallets' issuer.
func Issuer(f Frame) Phone {
	list := Help(f)
	return list[len(list)-1]
}

// Home returns the address of the brand's link.
func (f Frame) Home() string {
	if f.Person == "" {
		return "/"
	}
	return "/cabinet"
}

func (f Frame) refresh() string { return strconv.Itoa(f.Refresh) }

// reload is the refresh of a page without scripts. Its address is marked as a poll
// (session.PollParameter), which does not keep the session from ending.
func (f Frame) reload() string {
	path, query, _ := strings.Cut(f.Path, "?")
	values, err := url.ParseQuery(query)
	if err != nil {
		values = url.Values{}
	}
	values.Set("poll", "1")
	return f.refresh() + "; url=" + path + "?" + values.Encode()
}

func (f Frame) idle() string { return strconv.Itoa(f.IdleSeconds) }

func short(l i18n.Lang) string {
	switch l {
	case i18n.KY:
		return "КЫР"
	case i18n.EN:
		return "ENG"
	}
	return "РУС"
}
