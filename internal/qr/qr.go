// Package qr makes the QR codes of receipts and wallets' numbers, as paths for SVG and as
// modules for printed files.
//
// The codes carry addresses of this site or plain numbers and nothing else. A payment
// standard's code is never made here.
package qr

import (
	"fmt"
	"strconv"
	"strings"

	"rsc.io/qr"
)

// Code is a QR code without the light border of four modules that it needs around.
type Code struct {
	// Size is the number of modules on each side.
	Size int
	code *qr.Code
}

// New returns the code of a text, readable with 15 % of it damaged.
func New(text string) (Code, error) {
	code, err := qr.Encode(text, qr.M)
	if err != nil {
		return Code{}, fmt.Errorf("qr: %w", err)
	}
	return Code{Size: code.Size, code: code}, nil
}

// Dark reports whether a module is dark.
func (c Code) Dark(x, y int) bool { return c.code.Black(x, y) }

// Runs calls do for every row's runs of dark modules.
func (c Code) Runs(do func(x, y, length int)) {
	for y := range c.Size {
		for x := 0; x < c.Size; x++ {
			from := x
			for x < c.Size && c.Dark(x, y) {
				x++
			}
			if x > from {
				do(from, y, x-from)
			}
		}
	}
}

// Path returns the dark modules as the data of an SVG path, one unit a module.
func (c Code) Path() string {
	var path strings.Builder
	atX, atY := 0, 0
	c.Runs(func(x, y, length int) {
		path.WriteByte('m')
		path.WriteString(strconv.Itoa(x - atX))
		path.WriteByte(' ')
		path.WriteString(strconv.Itoa(y - atY))
		path.WriteByte('h')
		path.WriteString(strconv.Itoa(length))
		path.WriteString("v1h-")
		path.WriteString(strconv.Itoa(length))
		path.WriteByte('z')
		atX, atY = x, y
	})
	return path.String()
}
