package gallery_test

import (
	"bytes"
	"context"
	"testing"

	"elsom/internal/i18n"
	"elsom/templates/gallery"
)

// BenchmarkPages renders the pages of a payment into a reused buffer.
func BenchmarkPages(b *testing.B) {
	for _, s := range gallery.States() {
		switch s.Name {
		case "cabinet", "services", "pay", "check", "receipt":
		default:
			continue
		}
		b.Run(s.Name, func(b *testing.B) {
			var page bytes.Buffer
			render := func() {
				page.Reset()
				if err := s.Render(i18n.RU).Render(context.Background(), &page); err != nil {
					b.Fatal(err)
				}
			}
			render() // the first call loads the texts
			for b.Loop() {
				render()
			}
			b.SetBytes(int64(page.Len()))
		})
	}
}
