package paylist

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"

	"elsom/internal/catalog"
	"elsom/internal/fault"
	"elsom/internal/input"
	"elsom/internal/money"
)

const (
	// Max is the number of lines of a list.
	Max = 100
	// MaxBytes is the size of a file or a pasted text.
	MaxBytes = 1 << 20
	// maxCell is the length of what is kept of an account or a sum, in characters.
	maxCell = 80
	// maxColumns is the number of columns that are read.
	maxColumns = 20
	innDigits  = 14
)

// Typed has the fields of a line as the customer typed them.
type Typed struct {
	Account string
	Sum     string
	// Formula reports that a cell has a formula, whose result the file may not have.
	Formula bool
}

// shown returns an argument of a message as it is shown.
func shown(value any) string {
	switch v := value.(type) {
	case money.Amount:
		return v.Group()
	case string:
		return v
	case int:
		return number(v)
	}
	return ""
}

// Read parses a list for a service: an uploaded file (XLSX, or text in UTF-8, UTF-16 or
// windows-1251), or a pasted text if there is no file. A line has the account and the sum,
// in this order, in any columns beside others. Lines without digits are skipped: headings
// and empty ones. Faults at "file" or "list": Invalid "paylist.empty", "paylist.form",
// Limit "paylist.too_large", "paylist.too_many".
func Read(service catalog.Service, pasted string, file []byte) ([]Typed, error) {
	r := reader{field: "list", inn: service.Identifier == catalog.KindINN}
	data := []byte(pasted)
	if len(file) > 0 {
		r.field, data = "file", file
	}
	//mutant:drop TestBadLists
	if len(data) > MaxBytes {
		return nil, r.refuse(fault.Limit, "paylist.too_large")
	}
	if r.field == "file" && bytes.HasPrefix(data, []byte("PK\x03\x04")) {
		return r.finish(r.workbook(data))
	}
	return r.finish(r.text(data))
}

// reader collects lines.
type reader struct {
	field string
	inn   bool
	lines []Typed
}

var errTooMany = errors.New("too many lines")

func (r *reader) refuse(kind fault.Kind, reason fault.Reason) error {
	return fault.New(kind, "paylist.read", reason).At(r.field).With("Most", Max)
}

func (r *reader) finish(err error) ([]Typed, error) {
	switch {
	case errors.Is(err, errTooMany):
		return nil, r.refuse(fault.Limit, "paylist.too_many")
	case err != nil:
		return nil, r.refuse(fault.Invalid, "paylist.form")
	case len(r.lines) == 0:
		return nil, r.refuse(fault.Invalid, "paylist.empty")
	}
	return r.lines, nil
}

// text reads lines of text, whose columns are separated by what most lines have.
func (r *reader) text(data []byte) error {
	text, err := decoded(data)
	if err != nil {
		return err
	}
	if strings.ContainsRune(text, 0) {
		return errors.New("not a text")
	}
	separator := separatorOf(text)
	if separator == 0 {
		for line := range strings.Lines(text) {
			if err := r.add([]string{line}, false); err != nil {
				return err
			}
		}
		return nil
	}
	rows := csv.NewReader(strings.NewReader(text))
	rows.Comma, rows.LazyQuotes, rows.FieldsPerRecord, rows.ReuseRecord = separator, true, -1, true
	for {
		cells, err := rows.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := r.add(cells, false); err != nil {
			return err
		}
	}
}

// decoded returns a text as UTF-8. Spreadsheets save UTF-16 with a mark, or windows-1251.
func decoded(data []byte) (string, error) {
	if bytes.HasPrefix(data, []byte{0xff, 0xfe}) || bytes.HasPrefix(data, []byte{0xfe, 0xff}) {
		text, err := unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewDecoder().Bytes(data)
		return string(text), err
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if utf8.Valid(data) {
		return string(data), nil
	}
	text, err := charmap.Windows1251.NewDecoder().Bytes(data)
	return string(text), err
}

// separatorOf returns the separator of a text's columns; 0 if lines have none, or commas
// that may belong to sums.
func separatorOf(text string) rune {
	for _, c := range []rune{'\t', ';'} {
		if strings.ContainsRune(text, c) {
			return c
		}
	}
	if strings.Contains(text, `",`) || strings.Contains(text, `,"`) {
		return ','
	}
	return 0
}

// add adds the line of a row.
func (r *reader) add(cells []string, formula bool) error {
	cells = cells[:min(len(cells), maxColumns)]
	if !strings.ContainsAny(strings.Join(cells, ""), "0123456789") && !formula {
		return nil
	}
	//mutant:replace >= Max => >= 1000*Max TestBadLists
	if len(r.lines) >= Max {
		return errTooMany
	}
	t := r.pick(cells)
	t.Account, t.Sum, t.Formula = cut(t.Account), cut(t.Sum), formula
	r.lines = append(r.lines, t)
	return nil
}

// pick returns account and sum of a row: the first cell that is an account, and the first
// after it that has digits.
func (r *reader) pick(cells []string) Typed {
	at := 0
	for i, cell := range cells {
		if r.isAccount(cell) {
			at = i
			break
		}
		if r.inn && i == len(cells)-1 { // none is: the first with digits is shown with its error
			for at = 0; at < len(cells)-1 && !strings.ContainsAny(cells[at], "0123456789"); at++ {
			}
		}
	}
	for _, cell := range cells[at+1:] {
		if strings.ContainsAny(cell, "0123456789") {
			return Typed{Account: cells[at], Sum: cell}
		}
	}
	account, sum := r.split(input.Clean(cells[at]))
	return Typed{Account: account, Sum: sum}
}

func (r *reader) isAccount(cell string) bool {
	if !r.inn {
		return strings.ContainsAny(cell, "0123456789")
	}
	digits := input.Digits(cell)
	return len(digits) == innDigits && strings.Trim(digits, "0123456789") == ""
}

// split divides a cell that has both account and sum: an ИНН after its 14 digits, which may
// be in groups, and another account at the first space or comma.
func (r *reader) split(cell string) (account, sum string) {
	if !r.inn {
		if at := strings.IndexAny(cell, " ,"); at > 0 {
			return cell[:at], strings.Trim(cell[at:], " ,")
		}
		return cell, ""
	}
	digits := 0
	for i, c := range cell {
		switch {
		case c >= '0' && c <= '9':
			digits++
		case c != ' ' && !input.IsDash(c):
			return strings.TrimSpace(cell[:i]), strings.Trim(cell[i:], " ,")
		}
		if digits == innDigits {
			return cell[:i+1], strings.Trim(cell[i+1:], " ,")
		}
	}
	return cell, ""
}

func cut(text string) string {
	text = strings.ToValidUTF8(strings.ReplaceAll(input.Clean(text), "\x00", ""), "\ufffd")
	letters := []rune(text)
	return string(letters[:min(len(letters), maxCell)])
}
