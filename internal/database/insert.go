package database

import (
	"fmt"
	"strings"

	"gorm.io/gorm"
)

// Rows are new rows of one table, by column. The first column defines their
// number and must not be a constant.
type Rows struct {
	Table   string
	Columns []Column
	// OnConflict is an optional clause "ON CONFLICT (…) DO …".
	OnConflict string
}

// Column holds one column of a set of rows: a value for each row, or one for all.
type Column struct {
	name, kind string
	array      any // a pointer: GORM hands it to the driver as one array
	count      int
	at         func(i int) any
	same       any // the value of all rows; nil: see array
}

// NewColumn returns a column of values. kind is its SQL type on PostgreSQL.
func NewColumn[T any](name, kind string, values []T) Column {
	return Column{name: name, kind: kind, array: &values, count: len(values), at: func(i int) any { return values[i] }}
}

// ColumnOf returns a column with the value of each row.
func ColumnOf[R, T any](name, kind string, rows []R, value func(r *R) T) Column {
	values := make([]T, len(rows))
	for i := range rows {
		values[i] = value(&rows[i])
	}
	return NewColumn(name, kind, values)
}

// ConstColumn returns a column with the same non-nil value in all new rows, which
// is cheaper on PostgreSQL than an array.
func ConstColumn(name, kind string, value any) Column {
	return Column{name: name, kind: kind, at: func(int) any { return value }, same: value}
}

// Insert inserts rows into one or more tables. On PostgreSQL it is one statement
// whose text does not depend on the number of rows, so that it is planned once. On
// SQLite it is one statement for each table.
//
// PostgreSQL runs the parts of one statement in no defined order and on one
// snapshot ("Data-Modifying Statements in WITH"). So that they are independent,
// each of Rows must have a table of its own and read none of the others. Foreign
// keys between the tables are allowed: they are checked when the statement ends.
func (tx *Tx) Insert(tables ...Rows) error { return tx.insert(tx.gorm, tables) }

func (tx *Tx) insert(handle *gorm.DB, tables []Rows) error {
	if len(tables) == 0 {
		return nil
	}
	if tx.Dialect() == Postgres {
		with, args := withInserts(tables[:len(tables)-1])
		last, more := tables[len(tables)-1].fromArrays()
		return handle.Exec(with+last, append(args, more...)...).Error
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
		if err := handle.Exec(t.into()+" VALUES "+row+strings.Repeat(","+row, count-1)+t.conflictClause(), values...).Error; err != nil {
			return err
		}
	}
	return nil
}

// withInserts returns a WITH clause of inserts named t0, t1 and so on.
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
	query, arrays := unnest(varying)
	return r.into() + " SELECT " + strings.Join(picked, ", ") + " FROM (" + query + ") AS u(" + names(varying) + ")" + r.conflictClause(), append(args, arrays...)
}

// unnest returns a query of the columns' rows. In its list of results PostgreSQL takes
// the elements one by one; of functions in FROM it would first store each array as a
// table.
func unnest(columns []Column) (query string, args []any) {
	list := make([]string, len(columns))
	for i, c := range columns {
		list[i] = "unnest(?::" + c.kind + "[])"
		args = append(args, c.array)
	}
	return "SELECT " + strings.Join(list, ", "), args
}

// Values returns the columns as a query, for WITH name(columns) AS (query). On
// PostgreSQL its text does not depend on the number of rows, so that the
// statement is planned once.
func (tx *Tx) Values(columns ...Column) (query string, args []any) {
	if tx.Dialect() == Postgres {
		return unnest(columns)
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

func (r Rows) conflictClause() string {
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

// InList returns a comparison with a list and its argument. For PostgreSQL it is
// one array (GORM passes a pointer to a slice unchanged), so that the statement
// is the same for every length and planned once; for SQLite the list is expanded.
func InList[T any](dialect Dialect, list []T) (comparison string, value any) {
	if dialect == Postgres {
		return "= ANY(?)", &list
	}
	return "IN ?", list
}
