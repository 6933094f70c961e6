package paylist_test

import (
	"archive/zip"
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"

	"elsom/internal/catalog"
	"elsom/internal/fault"
	"elsom/internal/paylist"
	"elsom/internal/testkit/require"
)

var (
	dostek   = catalog.Service{Code: "dostek", Identifier: catalog.KindINN}
	contract = catalog.Service{Code: "hoster", Identifier: catalog.KindContract}
)

// written returns lines as "account|sum", and "!" for those with a formula.
func written(lines []paylist.Typed) string {
	var all []string
	for _, t := range lines {
		text := t.Account + "|" + t.Sum
		if t.Formula {
			text += "!"
		}
		all = append(all, text)
	}
	return strings.Join(all, " ")
}

func TestPastedLists(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"semicolons":        {"00207199610017; 250,50\n00207199610025;1 000\n", "00207199610017|250,50 00207199610025|1 000"},
		"tabs":              {"Компания\tИНН\tСумма\nАк-Булут 2\t00207199610017\t250,50\n", "00207199610017|250,50"},
		"spaces":            {"0020 7199 6100 17 250,50 сом\r\n00207199610025 40\n\n", "0020 7199 6100 17|250,50 сом 00207199610025|40"},
		"dashes":            {"0020-7199-6100-17 - 250", "0020-7199-6100-17|- 250"},
		"commas":            {"00207199610017,250.50", "00207199610017|250.50"},
		"quoted commas":     {`"ОсОО ""А""","00207199610017","250,50"`, "00207199610017|250,50"},
		"one line":          {"00207199610017;1", "00207199610017|1"},
		"without a sum":     {"00207199610017", "00207199610017|"},
		"a short ИНН":       {"0020719961001; 250", "0020719961001|250"},
		"invisible":         {"\u202a00207199610017\u202c;\u00a0250,50", "00207199610017|250,50"},
		"wrong and right":   {"Итого; 2;\n00207199610017;5", "2| 00207199610017|5"},
		"empty columns":     {"00207199610017;;;250", "00207199610017|250"},
		"a quote in a text": {"ОсОО \"Рога\";00207199610017;7", "00207199610017|7"},
	} {
		lines, err := paylist.Read(dostek, c.text, nil)
		if got := written(lines); err != nil || got != c.want {
			t.Errorf("%s: %q, %v, want %q", name, got, err, c.want)
		}
	}
	lines, err := paylist.Read(contract, "20451 640\nА-77,1 250,50\n20452;1", nil)
	if got := written(lines); err != nil || got != "20451|640 А-77|1 250,50 20452|1" {
		t.Errorf("contracts: %q, %v", got, err)
	}
	if lines, err := paylist.Read(contract, "20451 640\n20452, 250,50", nil); err != nil || written(lines) != "20451|640 20452|250,50" {
		t.Errorf("contracts without columns: %q, %v", written(lines), err)
	}
}

func TestFilesOfText(t *testing.T) {
	const text = "Компания;ИНН;Сумма\nОсОО «Ак-Булут»;00207199610017;250,50\n"
	windows := require.Value(charmap.Windows1251.NewEncoder().Bytes([]byte(text)))(t)
	utf16 := require.Value(unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().Bytes([]byte(text)))(t)
	for name, data := range map[string][]byte{"UTF-8": []byte(text), "with a mark": []byte("\ufeff" + text), "windows-1251": windows, "UTF-16": utf16} {
		if lines, err := paylist.Read(dostek, "ignored 1", data); err != nil || written(lines) != "00207199610017|250,50" {
			t.Errorf("%s: %q, %v", name, written(lines), err)
		}
	}
}

func TestBadLists(t *testing.T) {
	many := strings.Repeat("00207199610017;1\n", 101)
	empty := excelize.NewFile()
	for row := range 3000 {
		require.NoError(t, empty.SetCellStr("Sheet1", "A"+strconv.Itoa(row+1), "нет"))
	}
	for name, c := range map[string]struct {
		text   string
		file   []byte
		reason fault.Reason
		field  string
	}{
		"empty":                {"\n \n", nil, "paylist.empty", "list"},
		"no digits":            {"", []byte("ИНН;Сумма\n"), "paylist.empty", "file"},
		"101 lines":            {many, nil, "paylist.too_many", "list"},
		"100,001 lines":        {"", []byte(strings.Repeat("00207199610017;1\n", 50_000)), "paylist.too_many", "file"},
		"more than a megabyte": {"", bytes.Repeat([]byte("1"), 1<<20+1), "paylist.too_large", "file"},
		"a picture":            {"", []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x0d"), "paylist.form", "file"},
		"a broken workbook":    {"", []byte("PK\x03\x04 broken"), "paylist.form", "file"},
		"a long sheet":         {"", saved(t, empty), "paylist.too_many", "file"},
	} {
		_, err := paylist.Read(dostek, c.text, c.file)
		if f := fault.As(err); err == nil || f.Reason != c.reason || f.Field != c.field {
			t.Errorf("%s: %v", name, err)
		}
	}
	if lines, err := paylist.Read(dostek, strings.Repeat("00207199610017;1\n", 100), nil); err != nil || len(lines) != 100 {
		t.Errorf("100 lines: %d, %v", len(lines), err)
	}
}

func saved(t *testing.T, book *excelize.File) []byte {
	t.Helper()
	return require.Value(book.WriteToBuffer())(t).Bytes()
}

func TestWorkbookKeepsTexts(t *testing.T) {
	book := excelize.NewFile()
	for cell, value := range map[string]any{
		"A1": "Компания", "B1": "ИНН", "C1": "Сумма",
		"A2": "ОсОО «Ак-Булут»", "B2": "00207199610017", "C2": 250.5,
		"A3": "нули потеряны", "B3": 207199610025, "C3": "1 000,00",
		"A4": "текст короче", "B4": "207199610033", "C4": 5,
	} {
		require.NoError(t, book.SetCellValue("Sheet1", cell, value))
	}
	require.NoError(t, book.SetCellStr("Sheet1", "B5", "00207199610041"))
	require.NoError(t, book.SetCellFormula("Sheet1", "C5", "SUM(C2:C3)"))
	lines, err := paylist.Read(dostek, "", saved(t, book))
	if got := written(lines); err != nil || got != "00207199610017|250.5 00207199610025|1 000,00 207199610033|5 00207199610041|!" {
		t.Errorf("%q, %v", got, err)
	}
}

// A workbook that unpacks to gigabytes is refused before it is unpacked.
func TestWorkbookBomb(t *testing.T) {
	var file bytes.Buffer
	archive := zip.NewWriter(&file)
	for name, content := range map[string]string{
		"[Content_Types].xml":        `<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>`,
		"_rels/.rels":                `<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>`,
		"xl/workbook.xml":            `<?xml version="1.0"?><workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name="S" sheetId="1" r:id="r1"/></sheets></workbook>`,
		"xl/_rels/workbook.xml.rels": `<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>`,
		"xl/worksheets/sheet1.xml": `<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>00207199610017</t></is></c><c r="B1"><v>5</v></c></row></sheetData></worksheet>` +
			strings.Repeat(" ", 64<<20),
	} {
		part := require.Value(archive.Create(name))(t)
		_, err := fmt.Fprint(part, content)
		require.NoError(t, err)
	}
	require.NoError(t, archive.Close())
	if file.Len() > paylist.MaxBytes {
		t.Fatalf("the file has %d bytes", file.Len())
	}
	if _, err := paylist.Read(dostek, "", file.Bytes()); fault.As(err).Reason != "paylist.form" {
		t.Errorf("the bomb: %v", err)
	}
}
