package database

import (
	"fmt"
	"strings"
)

// Rows are new rows of one table, column by column; the first differs by row.
type Rows struct {
	Table   string
	Columns []Column
	// OnConflict, where there is one, ends the statement: what becomes of a row
	// that is there already. "ON CONFLICT (…) DO UPDATE SET …".
	OnConflict string
}

// Column is one column of some rows, with a value for each or one for all.
type Column struct {
	name, kind string
	array      any // a pointer: GORM hands it to the driver as one array
	count      int
	at         func(i int) any
	same       any // for all rows; nil: see array
}

// NewColumn makes a column; kind is its type in SQL.
func NewColumn[T any](name, kind string, values []T) Column {
	return Column{name: name, kind: kind, array: &values, count: len(values), at: func(i int) any { return values[i] }}
}

// ConstColumn makes a column of new rows that all have one value, not nil: PostgreSQL
// unpacks an array less.
func ConstColumn(name, kind string, value any) Column {
	return Column{name: name, kind: kind, at: func(int) any { return value }, same: value}
}

// Insert writes the rows of all tables. On PostgreSQL that is one statement,
// the same for any number of rows, so that it is planned once; the tables are
// written in no certain order. On SQLite it is a statement a table.
func (tx *Tx) Insert(tables ...Rows) error {
	if len(tables) == 0 {
		return nil
	}
	if tx.Dialect() == Postgres {
		with, args := withInserts(tables[:len(tables)-1])
		last, more := tables[len(tables)-1].fromArrays()
		return tx.gorm.Exec(with+last, append(args, more...)...).Error
	}
	for _, t := range tables {
		count := t.Columns[0].count
		values := make([]any, 0, count*len(t.Columns))
		for i := range count {
			for _, c := range t.Columns {
				values = append(values, c.at(i))
			}
		}
		row := "(?" + strings.Repeat(",?", len(t.Columns)-1) + ")"
		if err := tx.gorm.Exec(t.into()+" VALUES "+row+strings.Repeat(","+row, count-1)+t.meeting(), values...).Error; err != nil {
			return err
		}
	}
	return nil
}

// withInserts begins a statement with inserts t0, t1 and so on.
func withInserts(tables []Rows) (with string, args []any) {
	list := make([]string, len(tables))
	for i, t := range tables {
		insert, arrays := t.fromArrays()
		list[i] = fmt.Sprintf("t%d AS (%s)", i, insert)
		args = append(args, arrays...)
	}
	if len(list) == 0 {
		return "", nil
	}
	return "WITH " + strings.Join(list, ", ") + " ", args
}

func (r Rows) fromArrays() (insert string, args []any) {
	picked, varying := make([]string, len(r.Columns)), make([]Column, 0, len(r.Columns))
	for i, c := range r.Columns {
		if c.same != nil {
			picked[i], args = "?::"+c.kind, append(args, c.same)
			continue
		}
		picked[i], varying = "u."+c.name, append(varying, c)
	}
	from, arrays := unnest(varying)
	return r.into() + " SELECT " + strings.Join(picked, ", ") + " FROM " + from + " AS u(" + names(varying) + ")" + r.meeting(), append(args, arrays...)
}

func unnest(columns []Column) (from string, args []any) {
	casts := make([]string, len(columns))
	for i, c := range columns {
		casts[i] = "?::" + c.kind + "[]"
		args = append(args, c.array)
	}
	return "unnest(" + strings.Join(casts, ", ") + ")", args
}

// Values makes a table of columns, for WITH name(columns) AS (…): on PostgreSQL
// the same text for any number of rows, so that it is planned once.
func (tx *Tx) Values(columns ...Column) (query string, args []any) {
	if tx.Dialect() == Postgres {
		from, args := unnest(columns)
		return "SELECT * FROM " + from, args
	}
	for row := range columns[0].count {
		for _, c := range columns {
			args = append(args, c.at(row))
		}
	}
	row := "(?" + strings.Repeat(",?", len(columns)-1) + ")"
	return "VALUES " + row + strings.Repeat(","+row, columns[0].count-1), args
}

func (r Rows) into() string {
	return "INSERT INTO " + r.Table + " (" + names(r.Columns) + ")"
}

func (r Rows) meeting() string {
	if r.OnConflict == "" {
		return ""
	}
	return " " + r.OnConflict
}

func names(columns []Column) string {
	list := make([]string, len(columns))
	for i, c := range columns {
		list[i] = c.name
	}
	return strings.Join(list, ", ")
}

// InList compares with a list: one array for PostgreSQL (GORM hands over a
// pointer to a slice as it is), so that the statement is the same for every
// length and planned once; SQLite gets the list written out.
func InList[T any](dialect Dialect, list []T) (comparison string, value any) {
	if dialect == Postgres {
		return "= ANY(?)", &list
	}
	return "IN ?", list
}
