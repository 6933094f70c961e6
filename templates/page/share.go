package page

import (
	"strconv"
	"time"

	"elsom/templates/layout"
)

// SharePage is `/receipt/ID/share`, the link to a receipt. Posts no fields to it, and to
// `/receipt/ID/share/end`.
type SharePage struct {
	layout.Frame
	// Href is the page's address, ReceiptHref the receipt's.
	Href, ReceiptHref string
	// Link is the address that others open; empty: there is none.
	Link  string
	Until time.Time
	Views int64
}

// SharedReceiptPage is `/r/TOKEN`, a receipt for others.
type SharedReceiptPage struct{ ReceiptPage }

// Fail implements Form.
func (p *SharePage) Fail(field, message string) { fail(&p.Frame, message, field, nil) }

func (p *SharePage) views() string { return strconv.FormatInt(p.Views, 10) }
