package portal

import (
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"elsom/internal/customer"
	"elsom/templates/page"
	"elsom/web/session"
)

// noticeNames are message keys. With wayNames they make the fields of the form, such as
// topped_up_sms.
var (
	noticeNames = map[customer.Notice]string{
		customer.ToppedUp: "notify.topped_up", customer.PaymentCompleted: "notify.payment_completed", customer.PaymentRefunded: "notify.payment_refunded",
		customer.TransferSent: "notify.transfer_sent", customer.TransferReceived: "notify.transfer_received",
	}
	wayNames = map[customer.Way]string{customer.BySMS: "sms", customer.ByPush: "push", customer.ByEmail: "email"}
)

func choiceName(kind customer.Notice, way customer.Way) string {
	_, name, _ := strings.Cut(noticeNames[kind], ".")
	return name + "_" + wayNames[way]
}

// ShowNotify shows what the customer is told about, and how.
func (p *Portal) ShowNotify(c echo.Context) error {
	return render(c, http.StatusOK, p.notifyPage(c, holder(c).Notices))
}

// Notify changes what the customer is told about, and how.
func (p *Portal) Notify(c echo.Context) error {
	owner := holder(c)
	chosen := owner.Notices
	for _, kind := range customer.AllNotices {
		for _, way := range customer.AllWays {
			if p.offers(way) {
				chosen = chosen.With(kind, way, c.FormValue(choiceName(kind, way)) != "")
			}
		}
	}
	return p.submit(c, func() (form, error) { return p.notifyPage(c, chosen), nil }, func() (string, error) {
		if chosen == owner.Notices {
			return "/settings", nil
		}
		if err := p.services.Customers.SetNotices(committed(c), owner, chosen, c.FormValue("password")); err != nil {
			return "", err
		}
		session.Of(c).Flash(lang(c).T("flash.notices_changed"))
		return "/settings", nil
	})
}

// offers reports whether messages can be sent by a way: the choices of others stay.
func (p *Portal) offers(way customer.Way) bool {
	switch way {
	case customer.ByPush:
		return p.services.Notices != nil
	case customer.ByEmail:
		return p.services.Customers.MailsCodes()
	}
	return true
}

func (p *Portal) notifyPage(c echo.Context, chosen customer.Notices) *page.NotifyPage {
	owner := holder(c)
	view := &page.NotifyPage{
		Frame: p.frame(c), Wallet: owner.Phone.Pretty(), Push: p.offers(customer.ByPush), Mails: p.offers(customer.ByEmail), EmailConfirmed: owner.EmailConfirmed,
	}
	choice := func(kind customer.Notice, way customer.Way) page.Choice {
		return page.Choice{Name: choiceName(kind, way), On: chosen.On(kind, way)}
	}
	for _, kind := range customer.AllNotices {
		view.Kinds = append(view.Kinds, page.NotifyKind{
			Name: noticeNames[kind], Receipt: kind == customer.PaymentCompleted || kind == customer.PaymentRefunded,
			SMS: choice(kind, customer.BySMS), Push: choice(kind, customer.ByPush), Email: choice(kind, customer.ByEmail),
		})
	}
	return view
}
