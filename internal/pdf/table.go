package pdf

// Column is a column of a table. Share is its part of the table's width.
type Column struct {
	Title string
	Share float64
	Align Align
	Bold  bool
}

// Table draws rows below a head that each further page repeats.
type Table struct {
	d       *Document
	columns []Column
	rows    int
}

const (
	cellGap   = 2.5 // between two columns
	cellSpace = 1.1 // above and below the text of a row
)

var (
	headStyle = Style{Size: 8, Bold: true, Color: Quiet}
	rowStyle  = Style{Size: 8.5, Color: Ink}
)

// Table begins a table and draws its head. The table ends with End.
func (d *Document) Table(columns []Column) *Table {
	t := &Table{d: d, columns: columns}
	d.Need(20)
	t.head()
	d.onPage = t.head
	return t
}

// End ends the table: what follows on a new page has no head.
func (t *Table) End() {
	t.d.onPage = nil
	t.d.rule(t.d.f.GetY())
	t.d.Space(3)
}

// Row draws a row. Its cells break into lines, of which there are as many as the
// longest cell needs.
func (t *Table) Row(cells ...string) {
	lines, height := t.lines(rowStyle, cells)
	t.d.Need(height)
	top := t.d.f.GetY()
	if t.rows%2 == 1 {
		t.d.Box(t.d.margin, top, t.d.width, height, tint)
	}
	t.rows++
	t.draw(rowStyle, lines, top+cellSpace)
	t.d.f.SetXY(t.d.margin, top+height)
}

// head draws the titles of the columns.
func (t *Table) head() {
	titles := make([]string, len(t.columns))
	for i, c := range t.columns {
		titles[i] = c.Title
	}
	lines, height := t.lines(headStyle, titles)
	top := t.d.f.GetY()
	t.draw(headStyle, lines, top+cellSpace)
	t.d.rule(top + height)
	t.d.f.SetXY(t.d.margin, top+height)
}

// lines returns the lines of each cell and the height of the row.
func (t *Table) lines(s Style, cells []string) (lines [][]string, height float64) {
	lines = make([][]string, len(t.columns))
	most := 1
	for i, c := range t.columns {
		if i >= len(cells) {
			break
		}
		s.Bold = s.Bold || c.Bold
		t.d.set(s)
		lines[i] = t.d.split(cells[i], t.width(c))
		most = max(most, len(lines[i]))
	}
	return lines, float64(most)*s.Size*leadMM + 2*cellSpace
}

func (t *Table) width(c Column) float64 { return c.Share*t.d.width - cellGap }

func (t *Table) draw(s Style, lines [][]string, top float64) {
	x, bold := t.d.margin, s.Bold
	for i, c := range t.columns {
		s.Align, s.Bold = c.Align, bold || c.Bold
		indent := 0.0
		if c.Align == Right && i == len(t.columns)-1 {
			indent = cellGap // the last column ends at the margin
		}
		for n, text := range lines[i] {
			t.d.f.SetXY(x+indent, top+float64(n)*s.Size*leadMM)
			t.d.cell(t.width(c), s, text)
		}
		x += c.Share * t.d.width
	}
}
