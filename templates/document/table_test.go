package document_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"elsom/internal/money"
	"elsom/internal/testkit/require"
	"elsom/templates/document"
)

// No text is a formula: not in CSV, which spreadsheets interpret, and not in XLSX.
func TestFormulasAreQuoted(t *testing.T) {
	t.Parallel()
	amount := money.Amount(-1250_50)
	texts := []string{"=1+1", "+996700", "-5", "@SUM(A1)", "\tx", "ОсОО; \"Ала-Тоо\"\nБишкек", ""}
	var lines, book bytes.Buffer
	csv, err := document.NewCSV(&lines)
	require.NoError(t, err)
	xlsx, err := document.NewXLSX(&book)
	require.NoError(t, err)
	for _, table := range []document.Table{csv, xlsx} {
		require.NoError(t, table.Row(document.Text("Сумма", "", "", "", "", "", "")))
		row := document.Text(texts...)
		row[6].Amount = &amount
		require.NoError(t, table.Row(append(row, document.Cell{At: time.Date(2026, 12, 1, 20, 30, 0, 0, time.UTC)})))
		require.NoError(t, table.Close())
	}
	want := "'=1+1;'+996700;'-5;'@SUM(A1);'\tx;\"ОсОО; \"\"Ала-Тоо\"\"\r\nБишкек\";-1250,50;\"02.12.2026, 02:30\"\r\n"
	if _, got, _ := strings.Cut(lines.String(), "\r\n"); strings.ReplaceAll(got, `"02.12.2026, 02:30"`, "02.12.2026, 02:30") != strings.ReplaceAll(want, `"02.12.2026, 02:30"`, "02.12.2026, 02:30") || !strings.HasPrefix(lines.String(), "\uFEFF") {
		t.Errorf("CSV: %q, want %q", got, want)
	}
	file, err := excelize.OpenReader(&book)
	require.NoError(t, err)
	for i, text := range texts[:6] {
		at, err := excelize.CoordinatesToCellName(i+1, 2)
		require.NoError(t, err)
		formula, err := file.GetCellFormula("Sheet1", at)
		require.NoError(t, err)
		value, err := file.GetCellValue("Sheet1", at)
		require.NoError(t, err)
		if formula != "" || !strings.HasSuffix(value, text) {
			t.Errorf("XLSX: %s has the formula %q and the value %q", at, formula, value)
		}
	}
	for at, want := range map[string]string{"G2": "-1,250.50", "H2": "02.12.2026, 02:30"} {
		if value, err := file.GetCellValue("Sheet1", at); err != nil || value != want {
			t.Errorf("XLSX: %s has %q, want %q, %v", at, value, want, err)
		}
	}
}
