package main

// What holds when PostgreSQL's servers take over from each other, or change.
var postgresGuards = []guard{
	{
		name: "a client that hangs up amid a commit makes nothing unhealthy", file: "internal/database/tx.go",
		text:        `case <-time.After(hangs):`,
		replacement: `case <-time.After(hangs - hangs):`,
		pkg:         "./internal/database", test: "TestShortCommitWithoutCallerIsHealthy",
	},
	{
		name: "commits wait for standbys in spite of the settings of the role", file: "internal/database/postgres.go",
		text:        `"synchronous_commit":  "on",`,
		replacement: `"synchronous_commit":  "local",`,
		pkg:         "./internal/database", test: "TestRoleSettingsDoNotWeakenCommits",
	},
	{
		name: "the warning of a cancelled wait is never hidden", file: "internal/database/postgres.go",
		text:        `"client_min_messages": "warning",`,
		replacement: `"client_min_messages": "error",`,
		pkg:         "./internal/database", test: "TestRoleSettingsDoNotWeakenCommits",
	},
	{
		name: "a commit that waits for a standby is not cancelled", file: "internal/database/postgres.go",
		text:        `tag, err := c.Conn.Conn().Exec(context.Background(), "commit")`,
		replacement: `ctx, cancel := context.WithTimeout(context.Background(), 500*time.Millisecond); defer cancel(); tag, err := c.Conn.Conn().Exec(ctx, "commit")`,
		pkg:         "./internal/database", test: "TestCommitOutlivesItsCaller",
	},
	{
		name: "a caller does not wait for a standby for ever", file: "internal/database/tx.go",
		text: `	case <-ctx.Done():
	}
	db.left.Add(1)`,
		replacement: `	}
	db.left.Add(1)`,
		pkg: "./internal/database", test: "TestCommitOutlivesItsCaller",
	},
	{
		name: "commits that wait leave connections to readers", file: "internal/database/tx.go",
		text:        `if db.left.Load() >= mostLeft {`,
		replacement: `if db.left.Load() >= mostLeft && false {`,
		pkg:         "./internal/database", test: "TestWaitingCommitsLeaveRoomForReaders",
	},
	{
		name: "a commit whose wait was cancelled is unknown", file: "internal/database/postgres.go",
		text:        `	if c.warned() {`,
		replacement: `	if c.warned() && false {`,
		pkg:         "./internal/database", test: "TestCancelledWaitIsUnknown",
	},
	{
		name: "a confirmation writes, since an empty commit does not wait for standbys", file: "internal/database/confirm.go",
		text:        `return tx.gorm.Exec("SELECT pg_logical_emit_message(true, 'elsom', '')").Error`,
		replacement: `return nil`,
		pkg:         "./internal/database", test: "TestCancelledWaitIsUnknown",
	},
	{
		name: "a posting is not found to be done by rows that can be lost", file: "internal/ledger/batch.go",
		text:        `if b.replayed() {`,
		replacement: `if b.replayed() && false {`,
		pkg:         "./internal/cashin", test: "TestNothingIsFinalWithoutTheStandby",
	},
	{
		name: "cash is not acknowledged by rows that can be lost", file: "internal/cashin/pay.go",
		text:        `; lost != nil {`,
		replacement: `; lost != nil && false {`,
		pkg:         "./internal/cashin", test: "TestNothingIsFinalWithoutTheStandby",
	},
	{
		name: "a transfer is not shown by rows that can be lost", file: "internal/wallet/transfer.go",
		text:        `return t, ts.DB.Confirm(ctx, TransferKey(id))`,
		replacement: `return t, nil`,
		pkg:         "./internal/wallet", test: "TestTransferIsUnknownWithoutTheStandby",
	},
	{
		name: "an operation is not shown by rows that can be lost", file: "internal/ledger/statement.go",
		text:        `err = l.db.Confirm(`,
		replacement: `_ = l.db.Confirm(`,
		pkg:         "./internal/wallet", test: "TestTransferIsUnknownWithoutTheStandby",
	},
	{
		name: "a payment is not shown by rows that can be lost", file: "internal/payment/payment.go",
		text:        `if err := ps.DB.Confirm(ctx, answered(p.ID, p.State)); err != nil {`,
		replacement: `if err := ps.DB.Confirm(ctx, answered(p.ID, p.State)); err != nil && false {`,
		pkg:         "./internal/payment", test: "TestPaymentIsUnknownWithoutTheStandby",
	},
	{
		name: "a connection to a server that takes no writes is left", file: "internal/database/postgres.go",
		text:        `func readOnly(code string) bool { return code == "25006" }`,
		replacement: `func readOnly(code string) bool { return code == "25006" && false }`,
		pkg:         "./cmd/elsom", test: "TestAServerThatDoesNotWriteIsUnavailable",
	},
	{
		name: "a server that takes no writes is not healthy", file: "internal/database/existing.go",
		text:        `if err := db.takesWrites(ctx); err != nil {`,
		replacement: `if err := db.takesWrites(ctx); err != nil && false {`,
		pkg:         "./cmd/elsom", test: "TestAServerThatDoesNotWriteIsUnavailable",
	},
	{
		name: "a statement that takes too long is unavailable, no failure", file: "internal/database/tx.go",
		text:        `pg.Code == "57014" ||`,
		replacement: ``,
		pkg:         "./cmd/elsom", test: "TestAServerThatDoesNotWriteIsUnavailable",
	},
	{
		name: "an account is relied on only where no failover can lose it", file: "internal/ledger/store.go",
		text:        `if err := tx.WaitAsWriter(); err != nil { // where it was there`,
		replacement: `if err := error(nil); err != nil { // where it was there`,
		pkg:         "./internal/payment", test: "TestPaymentIsUnknownWithoutTheStandby",
	},
	{
		name: "slots are relied on only where no failover can lose them", file: "internal/payment/slot.go",
		text:        `return tx.WaitAsWriter() // where they were there`,
		replacement: `return nil // where they were there`,
		pkg:         "./internal/payment", test: "TestSlotsAreMadeAgainBehindAFailover",
	},
	{
		name: "a statement whose plan is out of date is prepared anew", file: "internal/database/postgres.go",
		text:        `return pg.Code == "26000" || (pg.Code == "0A000" && pg.Routine == "RevalidateCachedQuery")`,
		replacement: `return false`,
		pkg:         "./internal/database", test: "TestPreparedAnew",
	},
	{
		name: "no statement selects *", file: "internal/database/database.go",
		text:        `QueryFields:            true,`,
		replacement: ``,
		pkg:         "./internal/database", test: "TestColumnsAreNamed",
	},
	{
		name: "a later schema is served only if it is compatible", file: "internal/database/existing.go",
		text:        `from > target {`,
		replacement: `(from > target && false) {`,
		pkg:         "./cmd/elsom", test: "TestALaterSchemaIsServedAsLongAsItFits",
	},
	{
		name: "a repeat is not refused while the first may have committed", file: "internal/database/tx.go",
		text:        `if fault.Is(err, fault.Unavailable) && (db.CommitsWait() ||`,
		replacement: `if false && fault.Is(err, fault.Unavailable) && (db.CommitsWait() ||`,
		pkg:         "./cmd/elsom", test: "TestDisasterStandbyAway",
	},
	{
		name: "metrics are served without the database", file: "cmd/elsom/metrics.go",
		text:        `if err := s.read(ctx, gauge, out); err != nil {`,
		replacement: `if err := s.read(ctx, gauge, out); err != nil { out <- prometheus.NewInvalidMetric(up, err)`,
		pkg:         "./cmd/elsom", test: "TestMetricsWithoutTheDatabase",
	},
	{
		name: "another encoding is refused", file: "internal/database/database.go",
		text:        `if encoding != "UTF8" {`,
		replacement: `if encoding != "UTF8" && false {`,
		pkg:         "./internal/database", test: "TestOtherEncodingsAreRefused",
	},
	{
		name: "a role that may not migrate makes nothing", file: "internal/database/migrate.go",
		text:        `	if !may {`,
		replacement: `	if !may && false {`,
		pkg:         "./internal/database", test: "TestMigratingNeedsTheOwner",
	},
	{
		name: "the audit is not misled by settings of the role", file: "internal/database/tx.go",
		text:        `"quote_all_identifiers = off", "standard_conforming_strings = on",`,
		replacement: `"quote_all_identifiers = on", "standard_conforming_strings = off",`,
		pkg:         "./internal/audit", test: "TestSettingsOfTheRoleAreNoViolations",
	},
}
