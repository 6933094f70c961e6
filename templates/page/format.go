package page

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"elsom/internal/i18n"
	"elsom/internal/inn"
	"elsom/internal/money"
	"elsom/templates/component"
	"elsom/templates/layout"
)

// signed formats an amount with its sign, also if positive.
func signed(a money.Amount) string {
	if a > 0 {
		return "+" + a.Group()
	}
	return a.Group()
}

func grouped(code string) string { return inn.Group(code) }

// initial is the first letter of a service, shown as its icon.
func initial(name string) string {
	r, _ := utf8.DecodeRuneInString(name)
	return strings.ToUpper(string(r))
}

// short reports whether a name fits a row's line and so is never broken: "DosTek group".
func short(name string) bool { return utf8.RuneCountInString(name) <= 14 }

func (s Service) note() string {
	if s.Detail != "" {
		return s.Detail
	}
	return s.Category
}

// note returns the second line of an operation: a payment's detail, or its kind.
func (o Operation) note(f layout.Frame) string {
	kind := f.T("portal.kind." + string(o.Kind))
	switch {
	case o.Detail == "":
		return kind
	case o.Kind == Payment:
		return o.Detail
	}
	return kind + " · " + o.Detail
}

// cutLast splits a note before its last part, which keeps its separator.
func cutLast(note string) (first, last string, found bool) {
	at := strings.LastIndex(note, " · ")
	if at < 0 {
		return note, "", false
	}
	return note[:at], note[at:], true
}

func (o Operation) icon() string {
	switch o.Kind {
	case CashIn, Received:
		return "arrow-down-left"
	case Sent:
		return "arrow-left-right"
	case Refund:
		return "undo-2"
	}
	return "arrow-up-right"
}

func (s Status) icon() string {
	switch s {
	case Processing:
		return "hourglass"
	case Refunded:
		return "undo-2"
	}
	return "circle-check"
}

var categoryIcons = map[string]string{
	"other": "ellipsis", "internet": "wifi", "hosting": "server", "mobile": "smartphone", "state": "landmark",
}

func (c Category) icon() string {
	if name, ok := categoryIcons[c.Code]; ok {
		return name
	}
	return "layout-grid"
}

type direction struct{ code, key, href string }

var directions = []direction{
	{"", "both", "/history"},
	{"in", "in", "/history?direction=in"},
	{"out", "out", "/history?direction=out"},
}

func (p PayPage) accountMode() string {
	if p.INN {
		return "numeric"
	}
	return ""
}

// amountHint returns the fee and the limits, shown before the amount is entered.
func (p PayPage) amountHint() string {
	texts := []string{p.feeText()}
	switch {
	case p.Minimum > 0 && p.Maximum > 0:
		texts = append(texts, p.T("portal.pay.between", i18n.Args{"Minimum": p.Minimum, "Maximum": p.Maximum}))
	case p.Minimum > 0:
		texts = append(texts, p.T("portal.pay.from", i18n.Args{"Minimum": p.Minimum}))
	case p.Maximum > 0:
		texts = append(texts, p.T("portal.pay.upto", i18n.Args{"Maximum": p.Maximum}))
	}
	return strings.Join(texts, " ")
}

func (p PayPage) feeText() string {
	fee := p.Fee
	if fee == (FeeRule{}) {
		return p.T("portal.pay.no_fee")
	}
	var text string
	switch {
	case fee.BasisPoints > 0 && fee.Fixed > 0:
		text = p.T("portal.pay.fee_both", i18n.Args{"Percent": percent(fee.BasisPoints), "Fixed": fee.Fixed})
	case fee.BasisPoints > 0:
		text = p.T("portal.pay.fee_percent", i18n.Args{"Percent": percent(fee.BasisPoints)})
	default:
		text = p.T("portal.pay.fee_fixed", i18n.Args{"Fixed": max(fee.Fixed, fee.Minimum)})
	}
	if fee.BasisPoints > 0 && fee.Minimum > 0 {
		text += ", " + p.T("portal.pay.fee_least", i18n.Args{"Minimum": fee.Minimum})
	}
	if fee.BasisPoints > 0 && fee.Maximum > 0 {
		text += ", " + p.T("portal.pay.fee_most", i18n.Args{"Maximum": fee.Maximum})
	}
	return text + "."
}

// percent writes basis points as a percentage: 150 → "1,5".
func percent(basisPoints int64) string {
	text := strconv.FormatInt(basisPoints/100, 10)
	if rest := basisPoints % 100; rest > 0 {
		text += "," + strings.TrimRight(string([]byte{'0' + byte(rest/10), '0' + byte(rest%10)}), "0")
	}
	return text
}

// percentOf returns a part as a whole percentage of a sum, from 0 to 100.
func percentOf(part, sum money.Amount) string {
	return strconv.FormatInt(min(max(int64(float64(part)/float64(sum)*100), 0), 100), 10)
}

// figure is the largest figure of the page: the total, or the missing amount.
func (p CheckPage) figure() money.Amount {
	if p.State == Short {
		return p.Total - p.Balance
	}
	return p.Total
}

// mobilnik is the agent's name in the page's script.
func (p FillPage) mobilnik() string {
	if p.Language() == i18n.EN {
		return "Mobilnik"
	}
	return "Мобильник"
}

// money returns the sentence about the money, shown first. A Message contains it,
// except for an operation that was stopped before it began.
func (p ErrorPage) money() string {
	if p.Message != "" && p.Status != 403 && p.Status != 404 && p.Status != 429 {
		return ""
	}
	return p.T(p.key() + "money")
}

// lost reports that the outcome of the operation is unknown and the page links to
// the history.
func (p ErrorPage) lost() bool { return p.key() == p.status("s500") && p.Person != "" }

// early reports that an immediate retry would be refused.
func (p ErrorPage) early() bool { return p.Status == 429 }

// key is the prefix of the message keys for the status.
func (p ErrorPage) key() string {
	switch {
	case p.Stale:
		return p.status("stale")
	case p.Status == 403, p.Status == 404, p.Status == 422, p.Status == 429, p.Status == 503:
		return p.status("s" + strconv.Itoa(p.Status))
	}
	return p.status("s500")
}

func (p ErrorPage) status(name string) string { return "errors.status." + name + "." }

func (p ErrorPage) icon() string {
	switch {
	case p.Stale:
		return "clock"
	case p.Status == 403:
		return "lock"
	case p.Status == 404:
		return "search-x"
	case p.Status == 429:
		return "hourglass"
	}
	return "triangle-alert"
}

func (p ErrorPage) wayOut() string {
	if p.BackHref != "" {
		return p.BackHref
	}
	return p.Home()
}

// retry returns when to try again, in minutes rounded up.
func (p ErrorPage) retry() string {
	if p.RetryAfter <= 0 {
		return ""
	}
	seconds := int(p.RetryAfter.Seconds())
	if seconds < 90 {
		return p.T("errors.retry_soon")
	}
	return p.T("errors.retry", i18n.Args{"Count": (seconds + 59) / 60})
}

func (p SettingsPage) others() bool { return len(p.Sessions) > 1 }

// pinState reports whether the wallet has a PIN, in words.
func (p SettingsPage) pinState() string {
	if p.HasPIN {
		return p.T("portal.settings.pin_set")
	}
	return p.T("portal.settings.pin_none")
}

func (p SettingsPage) pinAction() string {
	if p.HasPIN {
		return p.T("portal.pin.change")
	}
	return p.T("portal.pin.set")
}

func (p PINPage) title() string { return p.T("portal.pin.title_" + string(p.State)) }

func (p PINPage) submit() string {
	if p.State == NoPIN {
		return p.T("portal.pin.set")
	}
	return p.T("portal.pin.change")
}

func (p PINPage) help() string {
	if p.State == ClosedPIN {
		return p.T("portal.pin.help_closed")
	}
	return p.T("portal.pin.forgotten")
}

func (p OfferPage) edition() string {
	return p.T("portal.offer.edition", i18n.Args{"Version": p.Edition.Version, "Date": component.Day(p.Language(), p.Edition.Date)})
}
