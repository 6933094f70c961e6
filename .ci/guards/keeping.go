package main

// What keeps the books over the loss of a machine.
var keepingGuards = []guard{
	{
		name: "without links: a file that came meanwhile is not overwritten", file: "internal/database/keep.go",
		text:        `os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600) //nolint`,
		replacement: `os.O_CREATE|os.O_WRONLY, 0o600) //nolint`,
		pkg:         "./internal/database", test: "TestOneTakesTheNameWithoutLinks",
	},
	{
		name: "a file that came meanwhile isn't overwritten", file: "internal/database/keep.go",
		text:        `os.Link(part.Name(), path)`,
		replacement: `os.Rename(part.Name(), path)`,
		pkg:         "./internal/database", test: "TestBackupsAtOnceOverwriteNothing",
	},
	{
		name: "what can't be a whole database isn't restored", file: "internal/database/keep.go",
		text:        `if said != "ok" {`,
		replacement: `if false {`,
		pkg:         "./internal/database", test: "TestRestoreRefuses",
	},
	{
		name: "a later release's database isn't restored", file: "internal/database/existing.go",
		text:        `case current > target:`,
		replacement: `case current > target && false:`,
		pkg:         "./internal/database", test: "TestRestoreRefuses",
	},
	{
		name: "another database's log isn't read into a restored one", file: "internal/database/keep.go",
		text:        `if beside := besides(path); beside != "" {`,
		replacement: `if beside := besides(path); beside != "" && false {`,
		pkg:         "./internal/database", test: "TestRestoreRefuses",
	},
	{
		name: "a database without its last payments isn't restored", file: "internal/database/keep.go",
		text:        `if beside := besides(file); beside != "" {`,
		replacement: `if beside := besides(file); beside != "" && false {`,
		pkg:         "./internal/database", test: "TestRestoreRefuses",
	},
	{
		name: "a backup has what was committed before it", file: "internal/database/keep.go",
		text:        `source.ExecContext(ctx, "VACUUM INTO ?", part)`,
		replacement: `error(nil), copyFile(part, path)`,
		pkg:         "./internal/database", test: "TestBackupAndRestore",
	},
	{
		name: "a copy of a database's own file isn't restored", file: "internal/database/keep.go",
		text:        `if own {`,
		replacement: `if own && false {`,
		pkg:         "./internal/database", test: "TestRestoreRefuses",
	},
	{
		name: "nothing is restored beside a running portal", file: "internal/database/keep.go",
		text:        `if open {`,
		replacement: `if open && false {`,
		pkg:         "./internal/database", test: "TestRestoreSeesWhoIsThere",
	},
	{
		name: "looking makes no file", file: "internal/database/database.go",
		text:        `if err := existing(path); err != nil {`,
		replacement: `if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {`,
		pkg:         "./internal/database", test: "TestExistingMakesNothing",
	},
	{
		name: "looking makes no table", file: "internal/database/existing.go",
		text:        `current, err := db.version(ctx)`,
		replacement: `p, _ := db.provider(); current, err := p.GetDBVersion(ctx)`,
		pkg:         "./internal/database", test: "TestExistingMakesNothing",
	},
	{
		name: "an audit that found something is told from one that wasn't made", file: "cmd/elsom/migrate.go",
		text:        `return coded{err, exitNotTried}`,
		replacement: `return err`,
		pkg:         "./cmd/elsom", test: "TestAuditEndsWith",
	},
	// The audit since a moment.
	{
		name: "an old payment that ended since is looked at", file: "internal/audit/store_since.go",
		text:        `AND request_key LIKE 'payment:%'))`,
		replacement: `AND 1 = 0))`,
		pkg:         "./internal/audit", test: "TestSinceLooksAtWhatIsNew",
	},
	{
		name: "a wallet that moved since is added up", file: "internal/audit/store_since.go",
		text:        `WHERE a.balance <> a.total`,
		replacement: `WHERE a.balance <> a.balance`,
		pkg:         "./internal/audit", test: "TestSinceLooksAtWhatIsNew",
	},
	{
		name: "an audit since a moment reads no table whole", file: "internal/audit/store_since.go",
		text:        `entries AS MATERIALIZED (SELECT * FROM`,
		replacement: `entries AS (SELECT * FROM`,
		pkg:         "./internal/audit", test: "TestSinceReadsNoTableWhole",
	},
}
