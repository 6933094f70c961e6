package portal

import (
	"net/http"
	"strconv"

	"github.com/labstack/echo/v4"

	"elsom/internal/i18n"
	"elsom/templates/page"
)

const messagesPageSize = 20

// Messages lists the SMS sent to the customer's number, page by page.
func (p *Portal) Messages(c echo.Context) error {
	before, err := strconv.ParseInt(c.QueryParam("before"), 10, 64)
	if err != nil || before < 0 {
		before = 0
	}
	since, err := p.services.Customers.ClosedAt(ctx(c), holder(c).Phone)
	if err != nil {
		return err
	}
	if !since.IsZero() { // hide the messages to the number's previous holder
		since = holder(c).CreatedAt
	}
	list, older, err := p.services.Messages.List(ctx(c), holder(c).Phone, since, before, messagesPageSize)
	if err != nil {
		return err
	}
	view := page.MessagesPage{Frame: p.frame(c)}
	for _, m := range list {
		view.Messages = append(view.Messages, page.Message{Text: i18n.NoBreak(m.Text), State: page.MessageState(m.State), At: m.At})
	}
	if before > 0 {
		view.NewestHref = "/messages"
	}
	if older {
		view.OlderHref = "/messages?before=" + strconv.FormatInt(list[len(list)-1].ID, 10)
	}
	return render(c, http.StatusOK, view)
}
