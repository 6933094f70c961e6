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

// AllowNotices keeps the address at which the holder's browser takes notices.
func (p *Portal) AllowNotices(c echo.Context) error {
	if p.Notices == nil {
		return fault.New(fault.NotFound, "portal.notices", "")
	}
	view, err := p.settingsPage(c)
	if err != nil {
		return err
	}
	s := session.Of(c)
	browser := push.Browser{Holder: readerOf(holder(c)), Key: s.Browser(), Signed: s.Holds}
	for _, listed := range view.Sessions {
		if listed.Current {
			browser.Name = listed.Device
		}
	}
	address := push.Address{Endpoint: c.FormValue("endpoint"), P256DH: c.FormValue("p256dh"), Auth: c.FormValue("auth")}
	if err := p.Notices.Allow(ctx(c), browser, address); err != nil {
		return p.refused(c, view, err)
	}
	s.Flash(p.lang(c).T("push.settings.done"))
	return redirect(c, "/settings")
}

// EndNotices forgets a browser of the holder's.
func (p *Portal) EndNotices(c echo.Context) error {
	const act = "portal.notices"
	id, err := strconv.ParseInt(c.FormValue("notice"), 10, 64)
	if p.Notices == nil || err != nil {
		return fault.New(fault.NotFound, act, "")
	}
	if err := p.Notices.End(ctx(c), holder(c).ID, id); err != nil {
		return err
	}
	session.Of(c).Flash(p.lang(c).T("push.settings.ended"))
	return redirect(c, "/settings")
}

func readerOf(who customer.Customer) push.Holder {
	return push.Holder{ID: who.ID, Epoch: who.SessionEpoch, Lang: who.Lang}
}

// putNotices puts what the settings say of notices into the page.
func (p *Portal) putNotices(c echo.Context, view *page.SettingsPage) error {
	if p.Notices == nil {
		return nil
	}
	view.NoticesKey = p.Notices.Key()
	list, err := p.Notices.List(ctx(c), readerOf(holder(c)))
	for _, d := range list {
		view.Notices = append(view.Notices, page.NoticeDevice{ID: strconv.FormatInt(d.ID, 10), Device: d.Name, Since: d.Made})
	}
	return err
}
