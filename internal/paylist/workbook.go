package paylist

import (
	"bytes"
	"strconv"
	"strings"
	"sync"

	"github.com/xuri/excelize/v2"
)

const (
	// maxUnpacked is the size of an unpacked workbook in bytes: a list of 100 lines needs some
	// 20 KB. What is larger is refused, not unpacked.
	maxUnpacked = 6 << 20
	// maxRows is the number of rows of a sheet, with those that are skipped.
	maxRows = 2000
)

func number(n int) string { return strconv.Itoa(n) }

// reading is locked while a workbook is read: an unpacked one takes memory.
var reading sync.Mutex

// row is a row of a sheet with its number.
type row struct {
	number int
	cells  []string
}

// workbook reads the first sheet of a workbook.
func (r *reader) workbook(data []byte) error {
	reading.Lock()
	defer reading.Unlock()
	//mutant:replace UnzipSizeLimit: maxUnpacked, UnzipXMLSizeLimit: maxUnpacked, => TestWorkbookBomb
	book, err := excelize.OpenReader(bytes.NewReader(data), excelize.Options{UnzipSizeLimit: maxUnpacked, UnzipXMLSizeLimit: maxUnpacked, RawCellValue: true})
	if err != nil {
		return err
	}
	defer func() { _ = book.Close() }()
	sheets := book.GetSheetList()
	if len(sheets) == 0 {
		return nil
	}
	rows, err := rowsOf(book, sheets[0])
	if err != nil {
		return err
	}
	for _, one := range rows {
		formula, err := r.cells(book, sheets[0], one)
		if err != nil {
			return err
		}
		if err := r.add(one.cells, formula); err != nil {
			return err
		}
	}
	return nil
}

// rowsOf returns the rows of a sheet that have digits, before any of its cells is looked up,
// which takes the longer the more rows there are.
func rowsOf(book *excelize.File, sheet string) (found []row, err error) {
	rows, err := book.Rows(sheet)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for n := 1; rows.Next(); n++ {
		cells, err := rows.Columns()
		if err != nil {
			return nil, err
		}
		//mutant:drop TestBadLists
		if n > maxRows {
			return nil, errTooMany
		}
		if strings.ContainsAny(strings.Join(cells, ""), "0123456789") {
			found = append(found, row{n, cells[:min(len(cells), maxColumns)]})
		}
	}
	return found, rows.Error()
}

// cells completes the texts of a row's cells. It reports whether one has a formula.
func (r *reader) cells(book *excelize.File, sheet string, of row) (formula bool, err error) {
	for column := range of.cells {
		name, err := excelize.CoordinatesToCellName(column+1, of.number)
		if err != nil {
			return false, err
		}
		text, err := book.GetCellFormula(sheet, name)
		if err != nil {
			return false, err
		}
		formula = formula || text != ""
		of.cells[column] = r.cell(book, sheet, name, of.cells[column])
	}
	return formula, nil
}

// cell returns a cell's text. A spreadsheet drops the zeros with which an ИНН of a company
// begins when it takes it for a number.
func (r *reader) cell(book *excelize.File, sheet, name, text string) string {
	if !r.inn || (len(text) != innDigits-1 && len(text) != innDigits-2) || strings.Trim(text, "0123456789") != "" {
		return text
	}
	kind, err := book.GetCellType(sheet, name)
	//mutant:replace kind == excelize.CellTypeSharedString || => TestWorkbookKeepsTexts
	if err != nil || kind == excelize.CellTypeSharedString || kind == excelize.CellTypeInlineString {
		return text
	}
	return strings.Repeat("0", innDigits-len(text)) + text
}
