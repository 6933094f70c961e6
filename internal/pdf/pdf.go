// Package pdf draws documents: receipts and statements on A4 or A5.
//
// A document is a column of parts, drawn from the top: titles, paragraphs, labeled
// values, tables. A part that doesn't fit on a page goes to the next one, and a table
// repeats its head there. Text is set in Onest, which is embedded and has all Kyrgyz
// letters; a character that the font lacks becomes a small box. The same calls write
// the same bytes. The package knows no payments, no languages and no files.
package pdf

import (
	_ "embed" // fonts
	"fmt"
	"io"
	"time"

	"codeberg.org/go-pdf/fpdf"
)

// Size is the size of the pages.
type Size string

// The sizes of pages.
const (
	A4 Size = "A4"
	A5 Size = "A5"
)

// Options describe a document as a whole. All texts are in the reader's language.
type Options struct {
	Size   Size
	Lang   string // BCP 47: ru, ky, en
	Title  string // of the file, not drawn
	Author string // the issuer
	// At is the time that the file states as its own.
	At time.Time
	// Head is drawn at the top of each page: left and right.
	Head, HeadRight string
	// Foot is drawn at the bottom of each page, beside the page's number. It has one line.
	Foot string
}

// Color is a color in sRGB.
type Color struct{ R, G, B uint8 }

// The colors of documents: as on the pages, darker where they are printed.
var (
	Ink    = Color{28, 32, 34}
	Quiet  = Color{88, 96, 100}
	Accent = Color{8, 96, 104}
	Brand  = Color{200, 72, 32}
	line   = Color{206, 210, 212}
	tint   = Color{243, 244, 243}
)

// Style is how text looks: Size is in points.
type Style struct {
	Size  float64
	Bold  bool
	Color Color
	Align Align
}

// Align is the side at which text stands.
type Align string

// The sides.
const (
	Left   Align = "L"
	Center Align = "C"
	Right  Align = "R"
)

// The styles of text.
var (
	Heading = Style{Size: 17, Bold: true, Color: Ink, Align: Left}
	Section = Style{Size: 11, Bold: true, Color: Ink, Align: Left}
	Body    = Style{Size: 9.5, Color: Ink, Align: Left}
	Small   = Style{Size: 8, Color: Quiet, Align: Left}
	Figure  = Style{Size: 24, Bold: true, Color: Ink, Align: Left}
)

const (
	family = "Onest"
	leadMM = 1.38 * 25.4 / 72 // height of a line, in mm for each point of the text's size
)

//go:embed fonts/Onest-Regular.ttf
var regular []byte

//go:embed fonts/Onest-SemiBold.ttf
var semibold []byte

// Document is a document that is being drawn. Its methods don't fail: WriteTo
// returns the first error.
type Document struct {
	f       *fpdf.Fpdf
	options Options
	margin  float64
	width   float64 // between the margins
	bottom  float64 // the end of the space for parts
	onPage  func()  // draws the head of a table that continues on a new page
}

// New returns an empty document with its first page.
func New(o Options) *Document {
	f := fpdf.New("P", "mm", string(o.Size), "")
	f.AddUTF8FontFromBytes(family, "", regular)
	f.AddUTF8FontFromBytes(family, "B", semibold)
	f.SetCatalogSort(true)
	//mutant:drop TestSameBytes
	f.SetCreationDate(o.At.UTC())
	//mutant:drop TestSameBytes
	f.SetModificationDate(o.At.UTC())
	f.SetProducer("Elsom", true)
	f.SetTitle(Printable(o.Title), true)
	f.SetAuthor(Printable(o.Author), true)
	f.SetLang(o.Lang)
	f.AliasNbPages("")
	f.SetAutoPageBreak(false, 0)
	d := &Document{f: f, options: o, margin: 18}
	if o.Size == A5 {
		d.margin = 12
	}
	width, height := f.GetPageSize()
	d.width, d.bottom = width-2*d.margin, height-d.margin-6
	f.SetMargins(d.margin, d.margin, d.margin)
	f.SetCellMargin(0)
	f.SetHeaderFunc(d.head)
	f.SetFooterFunc(d.foot)
	f.AddPage()
	return d
}

// head draws the head of a page.
func (d *Document) head() {
	d.f.SetXY(d.margin, d.margin-6)
	d.cell(d.width/2, Style{Size: 11, Bold: true, Color: Brand, Align: Left}, d.options.Head)
	d.cell(d.width/2, Style{Size: 8, Color: Quiet, Align: Right}, d.options.HeadRight)
	d.rule(d.margin)
	d.f.SetXY(d.margin, d.margin+6)
}

// foot draws the end of a page: the line of the options and the page's number.
func (d *Document) foot() {
	d.rule(d.bottom + 2)
	d.f.SetXY(d.margin, d.bottom+3)
	d.cell(d.width-20, Small, d.options.Foot)
	d.cell(20, Style{Size: 8, Color: Quiet, Align: Right}, fmt.Sprintf("%d / {nb}", d.f.PageNo()))
}

func (d *Document) rule(y float64) {
	d.f.SetDrawColor(int(line.R), int(line.G), int(line.B))
	d.f.SetLineWidth(0.2)
	d.f.Line(d.margin, y, d.margin+d.width, y)
}

func (d *Document) set(s Style) {
	weight := ""
	if s.Bold {
		weight = "B"
	}
	d.f.SetFont(family, weight, s.Size)
	d.f.SetTextColor(int(s.Color.R), int(s.Color.G), int(s.Color.B))
}

// cell draws one line of text that is clipped to a width, and moves right behind it.
func (d *Document) cell(width float64, s Style, text string) {
	d.set(s)
	d.f.CellFormat(width, s.Size*leadMM, d.clip(Printable(text), width), "", 0, string(s.Align)+"M", false, 0, "")
}

// clip shortens a line of text to a width in the style that is set.
func (d *Document) clip(text string, width float64) string {
	if d.f.GetStringWidth(text) <= width {
		return text
	}
	letters := []rune(text)
	for len(letters) > 0 && d.f.GetStringWidth(string(letters)+"…") > width {
		letters = letters[:len(letters)-1]
	}
	return string(letters) + "…"
}

// Space leaves room of a height, in mm.
func (d *Document) Space(height float64) { d.f.SetXY(d.margin, d.f.GetY()+height) }

// Need begins a new page unless a part of a height, in mm, fits on this one.
func (d *Document) Need(height float64) {
	if d.f.GetY()+height <= d.bottom {
		return
	}
	d.f.AddPage()
	//mutant:negate TestDocument
	if d.onPage != nil {
		d.onPage()
	}
}

// Text draws a paragraph over the width of the page.
func (d *Document) Text(s Style, text string) {
	d.set(s)
	for _, part := range d.split(text, d.width) {
		d.Need(s.Size * leadMM)
		d.f.SetX(d.margin)
		d.cell(d.width, s, part)
		d.Space(s.Size * leadMM)
	}
}

// split returns the lines of a text that is as wide as the width, in the style that is set.
func (d *Document) split(text string, width float64) []string {
	text = Printable(text)
	if text == "" {
		return []string{""}
	}
	return d.f.SplitText(text, width)
}

// Fact is a labeled value.
type Fact struct {
	Label, Value string
	Bold         bool
}

// Facts draws labeled values, one below another: labels left, values beside them.
func (d *Document) Facts(facts []Fact) {
	labels := d.width * 0.36
	for _, fact := range facts {
		value := Body
		value.Bold = fact.Bold
		d.set(Body)
		left := d.split(fact.Label, labels-4)
		d.set(value)
		right := d.split(fact.Value, d.width-labels)
		rows := max(len(left), len(right))
		height := Body.Size * leadMM
		d.Need(float64(rows)*height + 1.6)
		top := d.f.GetY()
		for i := range rows {
			y := top + float64(i)*height
			if i < len(left) {
				d.f.SetXY(d.margin, y)
				d.cell(labels-4, Style{Size: Body.Size, Color: Quiet, Align: Left}, left[i])
			}
			if i < len(right) {
				d.f.SetXY(d.margin+labels, y)
				d.cell(d.width-labels, value, right[i])
			}
		}
		d.f.SetXY(d.margin, top+float64(rows)*height+1.6)
	}
}

// Rule draws a line over the width of the page.
func (d *Document) Rule() {
	d.Need(4)
	d.rule(d.f.GetY() + 2)
	d.Space(4)
}

// At returns where the next part begins and the width between the margins, in mm.
func (d *Document) At() (x, y, width float64) { return d.margin, d.f.GetY(), d.width }

// Box fills a rectangle with a color: places and sizes are in mm. It doesn't move
// where the next part begins.
func (d *Document) Box(x, y, width, height float64, c Color) {
	d.f.SetFillColor(int(c.R), int(c.G), int(c.B))
	d.f.Rect(x, y, width, height, "F")
}

// Put draws lines of text in a box whose corner is at a place, and doesn't move where
// the next part begins.
func (d *Document) Put(x, y, width float64, s Style, text string) {
	backX, backY := d.f.GetXY()
	d.set(s)
	for i, part := range d.split(text, width) {
		d.f.SetXY(x, y+float64(i)*s.Size*leadMM)
		d.cell(width, s, part)
	}
	d.f.SetXY(backX, backY)
}

// Pages returns the number of pages so far.
func (d *Document) Pages() int { return d.f.PageCount() }

// WriteTo writes the document and ends it.
func (d *Document) WriteTo(w io.Writer) (int64, error) {
	counted := &counter{w: w}
	err := d.f.Output(counted)
	return counted.n, err
}

// counter counts the bytes that are written through it.
type counter struct {
	w io.Writer
	n int64
}

// Write writes to the underlying writer.
func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}
