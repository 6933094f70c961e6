package main_test

import (
	"context"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// ownBrowser starts a browser for one test. One that ends while it starts, as
// on a crowded machine, is started again.
func ownBrowser(t *testing.T, options []chromedp.ExecAllocatorOption) context.Context {
	t.Helper()
	var err error
	for range 3 {
		allocator, stop := chromedp.NewExecAllocator(context.Background(), append(options, chromedp.WSURLReadTimeout(time.Minute))...)
		ctx, cancel := chromedp.NewContext(allocator)
		if err = chromedp.Run(ctx); err == nil {
			t.Cleanup(stop)
			t.Cleanup(cancel)
			return ctx
		}
		cancel()
		stop()
	}
	t.Fatalf("Chromium: %v", err)
	return nil
}
