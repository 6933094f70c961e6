package system

import (
	"fmt"
	"net/http"
	"net/url"
	"sync"
)

// Submission is a payment that somebody is going to press "Оплатить" for.
type Submission struct {
	INN    string
	Amount int64 // tyiyn
	Client *Client
	Action string // what pressing sends, and where to
	Values url.Values
	Status string // as its receipt said at last
}

// Each does something with every order, all at once.
func Each(orders []*Submission, do func(o *Submission)) {
	var all sync.WaitGroup
	for _, o := range orders {
		all.Go(func() { do(o) })
	}
	all.Wait()
}

// Accepted presses once and tells whether the portal accepted the payment,
// without waiting for its receipt.
func (o *Submission) Accepted() bool {
	once := *o.Client
	once.HTTP = &http.Client{
		Jar: o.Client.HTTP.Jar, Timeout: o.Client.HTTP.Timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	err := once.Request(http.MethodPost, o.Action, o.Values)
	return err == nil && once.Status == http.StatusSeeOther
}

// Press sends the form of the check page, also again, and keeps the page that
// it led to: the receipt.
func (o *Submission) Press() error {
	if err := o.Client.Request(http.MethodPost, o.Action, o.Values); err != nil {
		return err
	}
	if o.Client.Document.Find("[data-payment-status]").Length() == 0 {
		return fmt.Errorf("pressing Оплатить led to %s (%d): %s", o.Client.URL, o.Client.Status, o.Client.Text())
	}
	return nil
}
