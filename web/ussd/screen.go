package ussd

import (
	"strconv"
	"strings"

	"elsom/internal/i18n"
	"elsom/internal/inn"
	"elsom/internal/money"
)

// Screen is the text that a phone shows. End ends the session.
type Screen struct {
	Text string `json:"text"`
	End  bool   `json:"end,omitempty"`
}

// Screen returns the state's screen. It always fits: where space is short,
// optional parts are left out first.
func (s State) Screen(listing Listing) Screen {
	if s.Step == stepEnd {
		return Screen{Text: firstFitting(s.t(s.Message)), End: true}
	}
	return Screen{Text: plain(s.text(listing))}
}

func (s State) t(m Message) string {
	args := i18n.Args{}
	for name, value := range m.Args {
		args[name] = value
	}
	return plain(i18n.Lang(s.Lang).T(m.Key, args))
}

func (s State) tr(key string, args ...string) string { return s.t(message(key, args...)) }

func (s State) text(listing Listing) string {
	switch s.Step {
	case stepLanguage:
		return s.languages("Тил / Язык / Language")
	case stepSetLanguage:
		return s.languages(s.tr("ussd.menu.language"))
	case stepConfirm:
		return s.confirm()
	case stepMain:
		return s.menu("ЭЛСОМ")
	case stepPay:
		return s.menu(s.tr("ussd.menu.payments"))
	case stepSettings:
		return s.menu(s.tr("ussd.menu.settings"))
	case stepCategories, stepServices:
		pages := s.pages(listing)
		if len(pages) == 0 {
			return s.ask(s.tr("ussd.nothing"))
		}
		return s.fit(pages[min(s.Page, len(pages)-1)])
	case stepOperations:
		return s.operations()
	case stepAccount:
		return s.account(listing)
	case stepCheck, stepTransfer:
		return s.check()
	case stepRegister:
		return s.ask(s.tr("ussd.register"), "1 "+s.tr("ussd.confirm"))
	case stepOffer:
		return s.ask(s.tr("ussd.offer"), "1 "+s.tr("ussd.accept"))
	}
	return s.ask(s.tr(prompts[s.Step]))
}

// prompts are the screens with nothing but a prompt.
var prompts = map[Step]string{
	stepName: "ussd.name", stepINN: "ussd.inn", stepAmount: "ussd.amount", stepReceiver: "ussd.receiver",
	stepTransferAmount: "ussd.amount", stepBalance: "ussd.pin", stepOperationsPIN: "ussd.pin", stepOldPIN: "ussd.old_pin",
	stepNewPIN: "ussd.new_pin", stepRepeatPIN: "ussd.again_pin",
}

func lines(parts ...string) string {
	used := parts[:0:0]
	for _, part := range parts {
		if part != "" {
			used = append(used, part)
		}
	}
	return strings.Join(used, "\n")
}

func (s State) messageLine() string {
	if s.Message.Key == "" {
		return ""
	}
	return s.t(s.Message)
}

// shortMessageLine replaces a message that does not fit.
func (s State) shortMessageLine() string {
	if s.Message.Key == "" {
		return ""
	}
	return s.tr("ussd.word.again")
}

func (s State) backLine() string { return "0 " + s.tr("ussd.back") }

// ask returns lines, with the message above and the line for 0 below if they fit.
func (s State) ask(parts ...string) string {
	body := lines(parts...)
	return firstFitting(lines(s.messageLine(), body, s.backLine()), lines(s.messageLine(), body), lines(s.shortMessageLine(), body))
}

// fit returns a page that has its own line for 0, with the message above if it fits.
func (s State) fit(body string) string {
	return firstFitting(lines(s.messageLine(), body), lines(s.shortMessageLine(), body), body)
}

func (s State) languages(title string) string {
	list := []string{title}
	for i, lang := range i18n.Langs() {
		list = append(list, strconv.Itoa(i+1)+" "+lang.Name())
	}
	if s.Step == stepLanguage {
		return s.fit(lines(list...))
	}
	return s.ask(list...)
}

// menu returns the fixed choices; the title is the first part to be left out.
func (s State) menu(title string) string {
	var items []string
	for _, c := range s.choices() {
		items = append(items, strconv.Itoa(c.number)+" "+s.tr(c.key))
	}
	body, back := lines(items...), s.backLine()
	if s.Step == stepMain {
		back = ""
	}
	message := s.messageLine()
	return firstFitting(lines(message, title, body, back), lines(message, body, back), lines(message, body), lines(s.shortMessageLine(), body))
}

// pages splits a list into pages. The split does not depend on the message above,
// so an item stays on its page.
func (s State) pages(listing Listing) []string {
	title := s.tr("ussd.categories")
	if s.Step == stepServices {
		title = s.tr("ussd.services")
	}
	items := make([]string, len(listing.Items))
	for i, item := range listing.Items {
		items[i] = strconv.Itoa(item.Number) + " " + item.Name
	}
	return s.cutPages(title, items)
}

func (s State) cutPages(title string, items []string) (pages []string) {
	longest := s.tr("ussd.word.choice")
	more := numberMore + " " + s.tr("ussd.more")
	for len(items) > 0 {
		n := 1
		for n < len(items) && fits(lines(longest, title, lines(items[:n+1]...), more, s.backLine())) {
			n++
		}
		if n == len(items)-1 && fits(lines(longest, title, lines(items...), s.backLine())) {
			n++ // the last page has no line for 99
		}
		if n == len(items) {
			more = ""
		}
		pages = append(pages, lines(title, lines(items[:n]...), more, s.backLine()))
		items = items[n:]
	}
	return pages
}

func (s State) operationPages() []string {
	items := make([]string, len(s.Operations))
	for i, o := range s.Operations {
		what := o.What
		if o.Key {
			what = s.tr(o.What)
		}
		amount := plain(o.Amount.Group())
		if o.Amount > 0 {
			amount = "+" + amount
		}
		items[i] = cut(o.Day+" "+amount+" "+plain(what), 90)
	}
	return s.cutPages("", items)
}

func (s State) moreOperations() bool { return s.Page+1 < len(s.operationPages()) }

func (s State) operations() string {
	pages := s.operationPages()
	if len(pages) == 0 {
		return s.ask(s.tr("ussd.no_operations"))
	}
	return s.fit(pages[min(s.Page, len(pages)-1)])
}

func (s State) account(listing Listing) string {
	label := plain(listing.Label)
	if listing.INN {
		label += ", " + s.tr("ussd.digits")
	}
	short := s.tr("ussd.account")
	if listing.INN {
		short = "ИНН, " + s.tr("ussd.digits")
	}
	message, service, back := s.messageLine(), plain(listing.Service), s.backLine()
	return firstFitting(lines(message, service, label+":", back), lines(message, label+":", back), lines(message, service, short+":", back),
		lines(message, short+":", back), lines(message, short+":"))
}

// confirm returns the data of a registration. A suspect ИНН is marked, not refused.
func (s State) confirm() string {
	number := inn.INN(s.INN)
	shown := "ИНН " + s.INN
	if s.Lang == "en" {
		shown = "INN " + s.INN
	}
	if number.Suspect() || number.Holder() == inn.Company {
		shown = s.tr("ussd.look_at") + " " + shown
	}
	message, right, back := s.messageLine(), "1 "+s.tr("ussd.right"), s.backLine()
	short, name := s.shortMessageLine(), cut(s.Name, 60)+".."
	return firstFitting(lines(message, s.Name, shown, right, back), lines(message, s.Name, shown, right),
		lines(short, s.Name, shown, right, back), lines(short, s.Name, shown, right), lines(short, name, shown, right))
}

// check returns the payment or transfer to be confirmed. Where space is short it
// leaves out the line for 0, the name, the total, and at last the labels; never the
// payee, the amount or the fee.
func (s State) check() string {
	c := s.Check
	som := " " + s.tr("ussd.som")
	fee := s.tr("ussd.no_fee")
	if c.Fee > 0 {
		fee = s.tr("ussd.fee", "Fee", c.Fee.Group())
	}
	total := ""
	if c.Fee > 0 {
		total = s.tr("ussd.total", "Total", (c.Amount + c.Fee).Group())
	}
	payee, marked, amount := s.payee(), s.payeeWarning(), group(c.Amount)+som
	prompt, name, back := s.tr("ussd.pin"), plain(c.Name), s.backLine()
	if s.Message.Key != "" {
		prompt = s.messageLine()
	}
	short := s.tr("ussd.pin")
	if s.Message.Key != "" {
		short = s.shortMessageLine()
	}
	tight := group(c.Amount) + " + " + group(c.Fee) + som
	return firstFitting(
		lines(marked, name, amount, fee, total, prompt, back),
		lines(marked, name, amount, fee, total, prompt),
		lines(marked, amount, fee, total, prompt, back),
		lines(marked, amount, fee, total, prompt),
		lines(marked, amount, fee, prompt, back),
		lines(marked, amount, fee, prompt),
		lines(payee, amount, fee, prompt),
		lines(payee, tight, prompt),
		lines(payee, tight, short),
		lines(cut(payee, 60), tight, "PIN:"),
	)
}

func group(a money.Amount) string { return plain(a.Group()) }

func (s State) payee() string {
	switch {
	case s.Check.Phone != "":
		return plain(s.Check.Phone)
	case !s.Check.INN:
		return plain(s.Check.Account)
	case s.Lang == "en":
		return "INN " + s.Check.Account
	}
	return "ИНН " + s.Check.Account
}

// payeeWarning returns the payee, marked if its ИНН looks mistyped.
func (s State) payeeWarning() string {
	if s.Check.INN && inn.INN(s.Check.Account).Suspect() {
		return s.tr("ussd.look_at") + " " + s.payee()
	}
	return s.payee()
}
