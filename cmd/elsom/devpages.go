package main

import (
	"context"
	"net/http"

	"github.com/labstack/echo/v4"

	"elsom/internal/cashin"
	"elsom/internal/credential"
	"elsom/internal/fault"
	emailinbox "elsom/internal/notify/email/inbox"
	"elsom/internal/notify/sms/inbox"
	"elsom/internal/phone"
	"elsom/web/dev"
)

// devPages returns the handler of the handset's and the terminal's pages. The
// terminal calls /osmp of the server that server points to.
func (a *app) devPages(server **echo.Echo) *dev.Handler {
	smsInbox, mailInbox := inbox.New(a.db), emailinbox.New(a.db)
	return dev.New(dev.Parts{
		Messages: func(ctx context.Context, number phone.Number) ([]dev.Message, error) {
			stored, err := smsInbox.List(ctx, number)
			list := make([]dev.Message, len(stored))
			for i, m := range stored {
				list[i] = dev.Message(m)
			}
			return list, err
		},
		Emails: func(ctx context.Context, number phone.Number) ([]dev.Email, error) {
			c, err := a.customers.ByPhone(ctx, number)
			if fault.Is(err, fault.NotFound) || c.Email == "" {
				return nil, nil
			}
			if err != nil {
				return nil, err
			}
			stored, err := mailInbox.List(ctx, c.Email)
			list := make([]dev.Email, len(stored))
			for i, m := range stored {
				list[i] = dev.Email(m)
			}
			return list, err
		},
		Carrier: a.catalog.Carrier,
		Server:  http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { (*server).ServeHTTP(w, r) }),
		Gateway: dev.Gateway{Code: credential.DevelopmentGateway, Password: credential.DevelopmentPassword},
		Agents:  cashin.DevelopmentAgents(),
		Now:     a.db.Now,
	})
}
