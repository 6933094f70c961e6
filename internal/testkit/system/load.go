package system

import (
	"strings"

	"github.com/chromedp/chromedp"
)

// Load loads an address.
func (tab *Tab) Load(address string) {
	tab.T.Helper()
	err := tab.whileRefreshing(func() error { return chromedp.Run(tab.Ctx, chromedp.Navigate(address)) })
	if err != nil {
		tab.T.Fatalf("browser (%s): %s: %v", tab.Screen, address, err)
	}
}

// whileRefreshing calls load, again if the page's own refresh has aborted it: without
// scripts some pages load themselves again.
func (tab *Tab) whileRefreshing(load func() error) (err error) {
	for range 5 {
		if err = load(); err == nil || !strings.Contains(err.Error(), "net::ERR_ABORTED") {
			return err
		}
		if err := chromedp.Run(tab.Ctx, chromedp.WaitReady("body")); err != nil {
			return err
		}
	}
	return err
}
