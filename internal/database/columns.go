package database

import (
	"fmt"
	"reflect"
	"strings"
	"sync"

	"gorm.io/gorm/schema"
)

var schemas sync.Map

// ColumnsOf returns the columns of a row struct, by GORM's naming, as a list for
// SELECT and RETURNING, optionally qualified by a table alias.
//
// SELECT * must not be used: a prepared statement with it fails when a later
// release adds a column while this program runs.
func ColumnsOf[R any](alias ...string) string {
	of, err := schema.Parse(new(R), &schemas, schema.NamingStrategy{})
	if err != nil {
		panic(fmt.Sprintf("database: columns of %v: %v", reflect.TypeFor[R](), err)) // not a row struct
	}
	if len(alias) == 0 {
		return strings.Join(of.DBNames, ", ")
	}
	return alias[0] + "." + strings.Join(of.DBNames, ", "+alias[0]+".")
}
