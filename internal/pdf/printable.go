package pdf

import (
	"encoding/binary"
	"strings"
	"sync"
	"unicode"
)

// missing is drawn in place of characters that the font lacks.
const missing = '□'

// Printable returns a text of one line as it can be drawn. Characters that the font
// lacks, such as an emoji with its modifiers, become one box; characters without a
// shape are dropped, and spaces of any width are spaces of the font.
func Printable(text string) string {
	var b strings.Builder
	boxed := false // the last character became a box
	for _, r := range text {
		switch {
		case has(r):
			b.WriteRune(r)
			boxed = false
		case unicode.IsSpace(r) || unicode.Is(unicode.Zs, r):
			b.WriteByte(' ')
			boxed = false
		//mutant:replace !unicode.IsGraphic(r) => false TestPrintable
		case !unicode.IsGraphic(r) || unicode.Is(unicode.M, r):
		//mutant:negate TestPrintable
		case !boxed:
			b.WriteRune(missing)
			boxed = true
		}
	}
	return b.String()
}

// has reports whether the font has a character.
func has(r rune) bool {
	return r >= ' ' && r <= 0xFFFF && glyphs()[r]
}

// glyphs returns the characters of the font.
var glyphs = sync.OnceValue(func() map[rune]bool { return characters(regular) })

// characters returns the characters of a TrueType font by its table cmap, whose
// subtable of format 4 has those of the Basic Multilingual Plane.
func characters(font []byte) map[rune]bool {
	u16 := func(b []byte, at int) int { return int(binary.BigEndian.Uint16(b[at:])) }
	u32 := func(b []byte, at int) int { return int(binary.BigEndian.Uint32(b[at:])) }
	found := map[rune]bool{}
	for table := 12; table < 12+16*u16(font, 4); table += 16 {
		if string(font[table:table+4]) != "cmap" {
			continue
		}
		cmap := font[u32(font, table+8):]
		for i := range u16(cmap, 2) {
			sub := cmap[u32(cmap, 4+8*i+4):]
			if u16(sub, 0) != 4 {
				continue
			}
			segments := u16(sub, 6) / 2
			for s := range segments {
				for r := u16(sub, 16+2*segments+2*s); r <= u16(sub, 14+2*s) && r < 0xFFFF; r++ {
					found[rune(r)] = true
				}
			}
		}
	}
	return found
}
