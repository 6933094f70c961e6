package database

import (
	"fmt"
	"strings"
)

// Rows are new rows of one table, column by column.
type Rows struct {
	Table   string
	Columns []Column
}

// Column is one column of some rows, with a value for each.
type Column struct {
	name, kind string
	array      any // a pointer: GORM hands it to the driver as one array
	count      int
	at         func(i int) any
}

// Of makes a column; kind is its type in SQL.
func Of[T any](name, kind string, values []T) Column {
	return Column{name, kind, &values, len(values), func(i int) any { return values[i] }}
}

// Insert writes the rows of all tables. On PostgreSQL that is one statement,
// the same for any number of rows, so that it is planned once; the tables are
// written in no certain order. On SQLite it is a statement a table.
func (tx *Tx) Insert(tables ...Rows) error {
	if tx.Dialect() == Postgres {
		return tx.insertArrays(tables)
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
		if err := tx.gorm.Exec(t.into()+" VALUES "+row+strings.Repeat(","+row, count-1), values...).Error; err != nil {
			return err
		}
	}
	return nil
}

func (tx *Tx) insertArrays(tables []Rows) error {
	statements := make([]string, len(tables))
	var arrays []any
	for i, t := range tables {
		casts := make([]string, len(t.Columns))
		for n, c := range t.Columns {
			casts[n] = "?::" + c.kind + "[]"
			arrays = append(arrays, c.array)
		}
		statements[i] = t.into() + " SELECT * FROM unnest(" + strings.Join(casts, ", ") + ")"
	}
	last := len(statements) - 1
	for i, s := range statements[:last] {
		statements[i] = fmt.Sprintf("t%d AS (%s)", i, s)
	}
	with := ""
	if last > 0 {
		with = "WITH " + strings.Join(statements[:last], ", ") + " "
	}
	return tx.gorm.Exec(with+statements[last], arrays...).Error
}

// Values makes a table of columns, for WITH name(columns) AS (…): on PostgreSQL
// the same text for any number of rows, so that it is planned once.
func (tx *Tx) Values(columns ...Column) (query string, args []any) {
	list := make([]string, len(columns))
	if tx.Dialect() == Postgres {
		for i, c := range columns {
			list[i] = "?::" + c.kind + "[]"
			args = append(args, c.array)
		}
		return "SELECT * FROM unnest(" + strings.Join(list, ", ") + ")", args
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
	names := make([]string, len(r.Columns))
	for i, c := range r.Columns {
		names[i] = c.name
	}
	return "INSERT INTO " + r.Table + " (" + strings.Join(names, ", ") + ")"
}

// Among compares with a list: one array for PostgreSQL (GORM hands over a
// pointer to a slice as it is), so that the statement is the same for every
// length and planned once; SQLite gets the list written out.
func Among[T any](dialect Dialect, list []T) (comparison string, value any) {
	if dialect == Postgres {
		return "= ANY(?)", &list
	}
	return "IN ?", list
}
