package portal

import (
	"strconv"

	"github.com/labstack/echo/v4"

	"elsom/internal/customer"
	"elsom/internal/fault"
	"elsom/internal/notify/push"
	"elsom/templates/page"
	"elsom/web/session"
)

// AllowNotices stores this browser's push subscription.
func (p *Portal) AllowNotices(c echo.Context) error {
	if p.services.Notices == nil {
		return fault.New(fault.NotFound, "portal.notices", "")
	}
	return p.submit(c, func() (form, error) { return p.settingsPage(c) }, func() (string, error) {
		s := session.Of(c)
		sessions, err := p.services.Sessions.List(ctx(c), s)
		if err != nil {
			return "", err
		}
		browser := push.Browser{Holder: pushHolder(holder(c)), Key: s.Browser(), SignedIn: s.SignedIn}
		for _, listed := range sessions {
			if listed.Current {
				browser.Name = listed.Device
			}
		}
		address := push.Subscription{Endpoint: c.FormValue("endpoint"), P256DH: c.FormValue("p256dh"), Auth: c.FormValue("auth")}
		if err := p.services.Notices.Subscribe(ctx(c), browser, address); err != nil {
			return "", err
		}
		s.Flash(lang(c).T("push.settings.done"))
		return "/settings", nil
	})
}

// EndNotices removes the push subscription of one of the customer's browsers.
func (p *Portal) EndNotices(c echo.Context) error {
	const op = "portal.notices"
	id, err := strconv.ParseInt(c.FormValue("notice"), 10, 64)
	if p.services.Notices == nil || err != nil {
		return fault.New(fault.NotFound, op, "")
	}
	if err := p.services.Notices.Unsubscribe(ctx(c), holder(c).ID, id); err != nil {
		return err
	}
	session.Of(c).Flash(lang(c).T("push.settings.ended"))
	return redirect(c, "/settings")
}

func pushHolder(holder customer.Customer) push.Holder {
	return push.Holder{ID: holder.ID, Epoch: holder.SessionEpoch, Lang: holder.Lang}
}

// addNotices adds the browsers with push notifications to the settings page.
func (p *Portal) addNotices(c echo.Context, view *page.SettingsPage) error {
	if p.services.Notices == nil {
		return nil
	}
	view.NoticesKey = p.services.Notices.Key()
	list, err := p.services.Notices.List(ctx(c), pushHolder(holder(c)))
	for _, d := range list {
		view.Notices = append(view.Notices, page.NoticeDevice{ID: strconv.FormatInt(d.ID, 10), Device: d.Name, Since: d.Made})
	}
	return err
}
