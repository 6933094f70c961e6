package layout

import (
	"strconv"

	"elsom/internal/i18n"
	"elsom/templates/component"
)

// View is what a page tells the frame about itself.
type View struct {
	// Title names the page; the frame adds the brand, and "Ошибка:" before it
	// where there are problems.
	Title string
	// Problems fill the error summary.
	Problems []component.Problem
	// Wrong marks the title of a page that is an error itself.
	Wrong bool
	// Form is the id of a form with things typed, which the language switch
	// then posts instead of leaving it; empty: the switch is links.
	Form string
	// Act makes the page a step of an act: a single column and no tab bar.
	Act bool
	// Here is the place in the navigation: "cabinet", "services", "history", "settings".
	Here string
	// Wide lets the page have two columns.
	Wide bool
	// Article makes the page a text to read.
	Article bool
	// App loads the script of the application: installing and notices.
	App bool
	// Alone leaves out the language switch: the page stands for others where
	// there is no connection.
	Alone bool
}

// SwitchField is the name under which a form posts the language asked for:
// the door then stores the language and gives the page back as it was typed,
// doing nothing else.
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

// Help lists the call centres, by the instruction.
func Help(f Frame) []Phone {
	return []Phone{
		{"DosTek group", "0312\u00a0960\u00a0888", "tel:+996312960888"},
		{f.T("frame.issuer"), "0312\u00a0986\u00a0000", "tel:+996312986000"},
	}
}

// Worker is the address of the service worker that speaks the page's language.
func Worker(l i18n.Lang) string { return "/worker.js?lang=" + string(l) }

// Manifest is the address of the application's manifest in a language.
func Manifest(l i18n.Lang) string { return "/app/" + string(l) + ".webmanifest" }

// Issuer is the call centre of who runs the wallets.
func Issuer(f Frame) Phone {
	list := Help(f)
	return list[len(list)-1]
}

// Home is where the brand leads.
func (f Frame) Home() string {
	if f.Person == "" {
		return "/"
	}
	return "/cabinet"
}

func (f Frame) refresh() string { return strconv.Itoa(f.Refresh) }
func (f Frame) idle() string    { return strconv.Itoa(f.IdleSeconds) }

func short(l i18n.Lang) string {
	switch l {
	case i18n.KY:
		return "КЫР"
	case i18n.EN:
		return "ENG"
	}
	return "РУС"
}
