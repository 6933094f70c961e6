package ussd

import (
	"strconv"
	"strings"

	"elsom/internal/i18n"
	"elsom/internal/inn"
	"elsom/internal/money"
)

// Screen is what a phone shows. End ends the session.
type Screen struct {
	Text string `json:"text"`
	End  bool   `json:"end,omitempty"`
}

// Screen gives the state's screen. It always fits: what a person must know
// stays whatever else is left out.
func (s State) Screen(shelf Listing) Screen {
	if s.Step == stepEnd {
		return Screen{Text: firstFitting(s.t(s.Message)), End: true}
	}
	return Screen{Text: plain(s.text(shelf))}
}

func (s State) t(w Message) string {
	args := i18n.Args{}
	for name, value := range w.Args {
		args[name] = value
	}
	return plain(i18n.Lang(s.Lang).T(w.Key, args))
}

func (s State) tr(key string, args ...string) string { return s.t(message(key, args...)) }

func (s State) text(shelf Listing) string {
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
		pages := s.pages(shelf)
		if len(pages) == 0 {
			return s.ask(s.tr("ussd.nothing"))
		}
		return s.fit(pages[min(s.Page, len(pages)-1)])
	case stepOperations:
		return s.operations()
	case stepAccount:
		return s.account(shelf)
	case stepCheck, stepTransfer:
		return s.check()
	case stepRegister:
		return s.ask(s.tr("ussd.register"), "1 "+s.tr("ussd.confirm"))
	case stepOffer:
		return s.ask(s.tr("ussd.offer"), "1 "+s.tr("ussd.accept"))
	}
	return s.ask(s.tr(prompts[s.Step]))
}

// prompts are the screens that only ask.
var prompts = map[Step]string{
	stepName: "ussd.name", stepINN: "ussd.inn", stepAmount: "ussd.amount", stepReceiver: "ussd.receiver",
	stepTransferAmount: "ussd.amount", stepBalance: "ussd.pin", stepOperationsPIN: "ussd.pin", stepOldPIN: "ussd.old_pin",
	stepNewPIN: "ussd.new_pin", stepRepeatPIN: "ussd.again_pin",
}

func lines(parts ...string) string {
	kept := parts[:0:0]
	for _, part := range parts {
		if part != "" {
			kept = append(kept, part)
		}
	}
	return strings.Join(kept, "\n")
}

func (s State) messageLine() string {
	if s.Message.Key == "" {
		return ""
	}
	return s.t(s.Message)
}

// shortMessageLine stands for a word that a screen has no room for.
func (s State) shortMessageLine() string {
	if s.Message.Key == "" {
		return ""
	}
	return s.tr("ussd.word.again")
}

func (s State) backLine() string { return "0 " + s.tr("ussd.back") }

// ask shows lines, with the word above them and the way back below them where
// there is room.
func (s State) ask(parts ...string) string {
	body := lines(parts...)
	return firstFitting(lines(s.messageLine(), body, s.backLine()), lines(s.messageLine(), body), lines(s.shortMessageLine(), body))
}

// fit shows a page that brings its own way back.
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

// menu shows fixed choices; a title goes first where room is short.
func (s State) menu(title string) string {
	var items []string
	for _, c := range s.choices() {
		items = append(items, strconv.Itoa(c.number)+" "+s.tr(c.key))
	}
	body, back := lines(items...), s.backLine()
	if s.Step == stepMain {
		back = ""
	}
	word := s.messageLine()
	return firstFitting(lines(word, title, body, back), lines(word, body, back), lines(word, body), lines(s.shortMessageLine(), body))
}

// pages cuts a list into pages. Where the cuts are doesn't depend on the word
// above: an item stays on its page.
func (s State) pages(shelf Listing) []string {
	title := s.tr("ussd.categories")
	if s.Step == stepServices {
		title = s.tr("ussd.services")
	}
	items := make([]string, len(shelf.Items))
	for i, item := range shelf.Items {
		items[i] = strconv.Itoa(item.Number) + " " + item.Name
	}
	return s.cutPages(title, items)
}

func (s State) cutPages(title string, items []string) (pages []string) {
	room := s.tr("ussd.word.choice")
	more := numberMore + " " + s.tr("ussd.more")
	for len(items) > 0 {
		n := 1
		for n < len(items) && fits(lines(room, title, lines(items[:n+1]...), more, s.backLine())) {
			n++
		}
		if n == len(items)-1 && fits(lines(room, title, lines(items...), s.backLine())) {
			n++ // the last page needs no way on
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

func (s State) account(shelf Listing) string {
	label := plain(shelf.Label)
	if shelf.INN {
		label += ", " + s.tr("ussd.digits")
	}
	short := s.tr("ussd.account")
	if shelf.INN {
		short = "ИНН, " + s.tr("ussd.digits")
	}
	word, service, back := s.messageLine(), plain(shelf.Service), s.backLine()
	return firstFitting(lines(word, service, label+":", back), lines(word, label+":", back), lines(word, service, short+":", back),
		lines(word, short+":", back), lines(word, short+":"))
}

// confirm shows what was typed to register. Warnings never refuse.
func (s State) confirm() string {
	number := inn.INN(s.INN)
	shown := "ИНН " + s.INN
	if s.Lang == "en" {
		shown = "INN " + s.INN
	}
	if number.Suspect() || number.Holder() == inn.Company {
		shown = s.tr("ussd.look_at") + " " + shown
	}
	word, right, back := s.messageLine(), "1 "+s.tr("ussd.right"), s.backLine()
	short, name := s.shortMessageLine(), cut(s.Name, 60)+".."
	return firstFitting(lines(word, s.Name, shown, right, back), lines(word, s.Name, shown, right),
		lines(short, s.Name, shown, right, back), lines(short, s.Name, shown, right), lines(short, name, shown, right))
}

// check shows what is about to be paid or sent. Where room is short it leaves
// out the name, then the total, then labels, and never whom, how much or the fee.
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
	whom, warned, amount := s.payee(), s.payeeWarning(), group(c.Amount)+som
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
		lines(warned, name, amount, fee, total, prompt, back),
		lines(warned, name, amount, fee, total, prompt),
		lines(warned, amount, fee, total, prompt, back),
		lines(warned, amount, fee, total, prompt),
		lines(warned, amount, fee, prompt, back),
		lines(warned, amount, fee, prompt),
		lines(whom, amount, fee, prompt),
		lines(whom, tight, prompt),
		lines(whom, tight, short),
		lines(cut(whom, 60), tight, "PIN:"),
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

// payeeWarning is whom with a word where its ИНН looks mistyped.
func (s State) payeeWarning() string {
	if s.Check.INN && inn.INN(s.Check.Account).Suspect() {
		return s.tr("ussd.look_at") + " " + s.payee()
	}
	return s.payee()
}
