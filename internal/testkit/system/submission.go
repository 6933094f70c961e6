package system

import (
	"fmt"
	"net/http"
	"net/url"
	"sync"
)

// Submission is the form of a check page that is ready to be sent.
type Submission struct {
	INN    string
	Amount int64 // tyiyn
	Client *Client
	Action string
	Values url.Values
	Status string // as its receipt showed last
}

// Each calls do for all submissions at once.
func Each(list []*Submission, do func(s *Submission)) {
	var all sync.WaitGroup
	for _, s := range list {
		all.Go(func() { do(s) })
	}
	all.Wait()
}

// Accepted sends the form once and reports whether it was accepted, without
// waiting for the receipt.
func (s *Submission) Accepted() bool {
	once := *s.Client
	once.HTTP = &http.Client{
		Jar: s.Client.HTTP.Jar, Timeout: s.Client.HTTP.Timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	err := once.Request(http.MethodPost, s.Action, s.Values)
	return err == nil && once.Status == http.StatusSeeOther
}

// Press sends the form, and leaves the client at the receipt.
func (s *Submission) Press() error {
	if err := s.Client.Request(http.MethodPost, s.Action, s.Values); err != nil {
		return err
	}
	if s.Client.Document.Find("[data-payment-status]").Length() == 0 {
		return fmt.Errorf("pressing Оплатить led to %s (%d): %s", s.Client.URL, s.Client.Status, s.Client.Text())
	}
	return nil
}
