// Package migrations holds the database's schema as one set of SQL files for
// both databases, in goose's form.
//
// NAME.sql serves both; a pair NAME.postgres.sql and NAME.sqlite.sql stands
// only where no portable SQL says the same (triggers), and one of them alone
// where the other database needs nothing. A file that was released is never
// changed; what follows it is a new file.
package migrations

import (
	"embed"
	"io/fs"
	"strings"
)

//go:embed *.sql
var files embed.FS

// For gives the files that belong to a dialect, "postgres" or "sqlite".
func For(dialect string) fs.FS { return dialectFS{files, dialect} }

type dialectFS struct {
	embed.FS
	dialect string
}

// ReadDir lists what belongs to the dialect; goose looks for its files here.
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
