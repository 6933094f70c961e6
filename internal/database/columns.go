package database

import (
	"fmt"
	"reflect"
	"strings"
	"sync"

	"gorm.io/gorm/schema"
)

var schemas sync.Map

// ColumnsOf lists the columns that a row's struct has fields for, by GORM's
// naming, for SELECT and RETURNING: of the table alone, or behind an alias.
//
// A statement that says * instead stops working when a later release adds a
// column beside a running program: its prepared form is of the old shape.
func ColumnsOf[R any](alias ...string) string {
	of, err := schema.Parse(new(R), &schemas, schema.NamingStrategy{})
	if err != nil {
		panic(fmt.Sprintf("database: columns of %v: %v", reflect.TypeFor[R](), err)) // a struct that is no row
	}
	if len(alias) == 0 {
		return strings.Join(of.DBNames, ", ")
	}
	return alias[0] + "." + strings.Join(of.DBNames, ", "+alias[0]+".")
}
