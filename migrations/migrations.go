// Package migrations has the database's schema as one set of SQL files for both
// databases, in goose's format.
//
// NAME.sql is for both databases. NAME.postgres.sql and NAME.sqlite.sql are a pair
// for what portable SQL can't express, such as triggers; one of them alone is a
// migration that the other database doesn't need. The statements of a released file
// are never changed; a change of the schema is a new file.
package migrations

import (
	"embed"
	"io/fs"
	"strings"
)

//go:embed *.sql
var files embed.FS

// For returns the files for a dialect, "postgres" or "sqlite".
func For(dialect string) fs.FS { return dialectFS{files, dialect} }

type dialectFS struct {
	embed.FS
	dialect string
}

// ReadDir lists the files for the dialect; goose finds its files by it.
func (d dialectFS) ReadDir(name string) ([]fs.DirEntry, error) {
	entries, err := d.FS.ReadDir(name)
	if err != nil {
		return nil, err
	}
	mine := entries[:0:0]
	for _, e := range entries {
		parts := strings.Split(e.Name(), ".")
		if len(parts) == 2 || parts[1] == d.dialect {
			mine = append(mine, e)
		}
	}
	return mine, nil
}
