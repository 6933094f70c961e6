// Package document renders files: statements as PDF, operations as CSV and XLSX.
//
// A file has the content of its page, in the reader's language. The package contains no
// decisions, and it writes no formulas: a text that a spreadsheet would take for one is
// quoted.
package document

import (
	"encoding/csv"
	"io"
	"strings"
	"time"

	"github.com/xuri/excelize/v2"

	"elsom/internal/money"
	"elsom/templates/component"
)

// Cell is a cell of a table: a text, an amount or a time.
type Cell struct {
	Text   string
	Amount *money.Amount
	At     time.Time
}

// Table is a table that is written row by row.
type Table interface {
	Row(cells []Cell) error
	// Close ends the file.
	Close() error
}

// Text returns cells of texts.
func Text(texts ...string) []Cell {
	cells := make([]Cell, len(texts))
	for i, text := range texts {
		cells[i].Text = text
	}
	return cells
}

// formula are the characters that make a cell a formula in some spreadsheet.
const formula = "=+-@\t\r"

// quoted returns a text that no spreadsheet takes for a formula.
func quoted(text string) string {
	//mutant:replace strings.ContainsRune(formula, rune(text[0])) => false TestFormulasAreQuoted
	if text != "" && strings.ContainsRune(formula, rune(text[0])) {
		return "'" + text
	}
	return text
}

// csvTable writes CSV as spreadsheets in Russian read it: with a byte order mark,
// semicolons, and decimal commas.
type csvTable struct {
	w    *csv.Writer
	line []string
}

// NewCSV returns a table that is written to w as CSV.
func NewCSV(w io.Writer) (Table, error) {
	if _, err := io.WriteString(w, "\uFEFF"); err != nil {
		return nil, err
	}
	table := csv.NewWriter(w)
	table.Comma, table.UseCRLF = ';', true
	return &csvTable{w: table}, nil
}

// Row implements Table.
func (t *csvTable) Row(cells []Cell) error {
	t.line = t.line[:0]
	for _, c := range cells {
		text := quoted(c.Text)
		switch {
		case c.Amount != nil:
			text = strings.ReplaceAll(c.Amount.Dot(), ".", ",")
		case !c.At.IsZero():
			text = component.Stamp(c.At)
		}
		t.line = append(t.line, text)
	}
	return t.w.Write(t.line)
}

// Close implements Table.
func (t *csvTable) Close() error {
	t.w.Flush()
	return t.w.Error()
}

// xlsxTable writes one sheet row by row; what doesn't fit into memory goes into a
// temporary file until Close.
type xlsxTable struct {
	to            io.Writer
	file          *excelize.File
	sheet         *excelize.StreamWriter
	rows          int
	amount, stamp int // styles
	head          int
}

// NewXLSX returns a table that is written to w as XLSX when it is closed.
func NewXLSX(w io.Writer) (Table, error) {
	t := &xlsxTable{to: w, file: excelize.NewFile()}
	var err error
	if t.sheet, err = t.file.NewStreamWriter("Sheet1"); err != nil {
		return nil, err
	}
	amounts, stamps := "#,##0.00", "dd.mm.yyyy, hh:mm"
	for style, to := range map[*excelize.Style]*int{
		{CustomNumFmt: &amounts}:           &t.amount,
		{CustomNumFmt: &stamps}:            &t.stamp,
		{Font: &excelize.Font{Bold: true}}: &t.head,
	} {
		if *to, err = t.file.NewStyle(style); err != nil {
			return nil, err
		}
	}
	if err := t.sheet.SetColWidth(1, 8, 20); err != nil {
		return nil, err
	}
	return t, t.sheet.SetPanes(&excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"})
}

// Row implements Table. The first row is the head.
func (t *xlsxTable) Row(cells []Cell) error {
	t.rows++
	values := make([]any, len(cells))
	for i, c := range cells {
		switch {
		case c.Amount != nil:
			values[i] = excelize.Cell{StyleID: t.amount, Value: float64(*c.Amount) / 100} // exact up to 15 digits
		case !c.At.IsZero():
			values[i] = excelize.Cell{StyleID: t.stamp, Value: component.Local(c.At)}
		case t.rows == 1:
			values[i] = excelize.Cell{StyleID: t.head, Value: c.Text}
		default:
			values[i] = quoted(c.Text)
		}
	}
	at, err := excelize.CoordinatesToCellName(1, t.rows)
	if err != nil {
		return err
	}
	return t.sheet.SetRow(at, values)
}

// Close implements Table.
func (t *xlsxTable) Close() error {
	defer func() { _ = t.file.Close() }()
	if err := t.sheet.Flush(); err != nil {
		return err
	}
	return t.file.Write(t.to)
}
