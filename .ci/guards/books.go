package main

var booksGuards = []guard{
	{
		name: "rows that somebody changed meanwhile are read again", file: "internal/ledger/flight.go",
		text:        `errors.Is(err, database.ErrRowCount) ||`,
		replacement: `errors.Is(err, database.ErrRowCount) && try == 0 ||`,
		pkg:         "./internal/ledger", test: "TestMiscountIsTriedAgain",
	},
	{
		name: "a machine that is lost keeps no locks", file: "internal/database/postgres.go",
		text:        `config.RuntimeParams[abandoned] = "10s"`,
		replacement: `config.RuntimeParams[abandoned] = "0"`,
		pkg:         "./internal/database", test: "TestAbandonedAfterTenSeconds",
	},
	{
		name: "who slept amid a transaction begins anew", file: "internal/database/tx.go",
		text:        `"25P03", // the transaction was abandoned, for all it knows`,
		replacement: `"25P99",`,
		pkg:         "./internal/database", test: "TestAbandonedTransaction",
	},
	{
		name: "who reads for long may think", file: "internal/database/tx.go",
		text:        `"plan_cache_mode = auto", "idle_in_transaction_session_timeout = 0"`,
		replacement: `"plan_cache_mode = auto"`,
		pkg:         "./internal/database", test: "TestAbandonedAfterTenSeconds",
	},
	{
		name: "no debt: the ledger refuses", file: "internal/ledger/batch.go",
		text:        `case c.delta < 0 && after < account.Floor:`,
		replacement: `case c.delta < 0 && after < account.Floor && false:`,
		pkg:         "./internal/ledger", test: "TestNoDebt",
	},
	{
		name: "no debt: the database refuses", file: "migrations/00001_ledger.sql",
		text: `    UNIQUE (kind, subject),
    CHECK (floor IS NULL OR balance >= floor)`,
		replacement: `    UNIQUE (kind, subject)`,
		pkg:         "./internal/ledger", test: "TestNoDebtInTheDatabase",
	},
	{
		name: "once only: a request key seen before", file: "internal/ledger/batch.go",
		text:        `if row, seen := b.posted[p.Key]; seen {`,
		replacement: `if row, seen := b.posted[p.Key]; seen && row.ID == 0 {`,
		pkg:         "./internal/ledger", test: "TestOnceOnly",
	},
	{
		name: "once only: the database's unique key", file: "migrations/00001_ledger.sql",
		text:        `request_key  VARCHAR(120) NOT NULL UNIQUE,`,
		replacement: `request_key  VARCHAR(120) NOT NULL,`,
		pkg:         "./internal/ledger", test: "TestOnceOnlyInTheDatabase",
	},
	{
		name: "once only: what looks refused may have been made", file: "internal/ledger/batch.go",
		text:        `if err := b.decide(ctx, posted); err != nil {`,
		replacement: `if clear(posted); b.decide(ctx, posted) != nil {`,
		pkg:         "./internal/ledger", test: "TestOnceOnly",
	},
	{
		name: "once only: a batch that met a key is decided with it", file: "internal/ledger/flight.go",
		text:        `f.try(batch, careful || try > 0)`,
		replacement: `f.try(batch, false)`,
		pkg:         "./internal/ledger", test: "TestOnceOnly",
	},
	{
		name: "same key, other content is a conflict", file: "internal/ledger/batch.go",
		text:        `if row.RequestHash != j.hash {`,
		replacement: `if false {`,
		pkg:         "./internal/ledger", test: "TestOnceOnly",
	},
	{
		name: "books balance: entries sum to zero", file: "internal/ledger/ledger.go",
		text:        `if sum, ok := money.Sum(amounts...); !ok || sum != 0 {`,
		replacement: `if sum, ok := money.Sum(amounts...); !ok && sum != 0 {`,
		pkg:         "./internal/ledger", test: "TestMalformedPostingsAreRefused",
	},
	{
		name: "balance is its entries", file: "internal/ledger/batch.go",
		text:        `b.deltas[c.account] += c.delta`,
		replacement: `b.deltas[c.account] += c.delta + 1`,
		pkg:         "./internal/ledger", test: "TestBalanceIsItsEntries",
	},
	{
		name: "one's refusal never fails the neighbours", file: "internal/ledger/batch.go",
		text: `	for _, verdict := range verdicts {
		if err := verdict(); err != nil {
			return outcome{err: err}`,
		replacement: `	for _, verdict := range verdicts {
		if err := verdict(); err != nil {
			b.accepted = nil
			return outcome{err: err}`,
		pkg: "./internal/ledger", test: "TestRefusalNeverFailsNeighbours",
	},
	{
		name: "nobody waits for a shared account", file: "internal/ledger/batch.go",
		text: `		if b.shared(id) {
			shared = append(shared, s)`,
		replacement: `		if b.shared(id) && false {
			shared = append(shared, s)`,
		pkg: "./internal/ledger", test: "TestSharedAccountsAreNotWaitedFor",
	},
	{
		name: "each process has stripes of its own", file: "internal/ledger/ledger.go",
		text:        `rand.Int64N(stripes/int64(flights)) * int64(flights)`,
		replacement: `rand.Int64N(1) * int64(flights)`,
		pkg:         "./internal/ledger", test: "TestSharedAccountsAreNotWaitedFor",
	},
	{
		name: "a stripe is added to, not set", file: "internal/ledger/store.go",
		text:        `balance = stripes.balance + excluded.balance`,
		replacement: `balance = excluded.balance`,
		pkg:         "./internal/ledger", test: "TestBalanceIsItsEntries",
	},
	{
		name: "a batch that hangs has its turn for a moment", file: "internal/ledger/flight.go",
		text:        `case <-patience.C:`,
		replacement: `case <-(chan time.Time)(nil):`,
		pkg:         "./internal/ledger", test: "TestHangingBatchHoldsUpItsOwn",
	},
	{
		name: "an audit sees a wallet's debt in a stripe", file: "internal/audit/store_books.go",
		text:        `a.id = stripes.account_id AND a.floor IS NOT NULL)`,
		replacement: `a.id = stripes.account_id AND a.floor > 0)`,
		pkg:         "./internal/audit", test: "TestPlantedViolationsAreFound",
	},
	{
		name: "a stripe is never deleted, on PostgreSQL", file: "migrations/00020_stripes.postgres.sql",
		text: `CREATE TRIGGER stripes_no_delete BEFORE DELETE ON stripes
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
`,
		replacement: ``,
		pkg:         "./internal/ledger", test: "TestNothingErased",
	},
	{
		name: "a stripe is never deleted, on SQLite", file: "migrations/00020_stripes.sqlite.sql",
		text:        `BEGIN SELECT RAISE(ABORT, 'stripes are never deleted'); END;`,
		replacement: `BEGIN SELECT 1; END;`,
		pkg:         "./internal/ledger", test: "TestNothingErased",
	},
	{
		name: "what has a floor is in one row", file: "internal/ledger/ledger.go",
		text:        `if !account.Floored {`,
		replacement: `if true {`,
		pkg:         "./internal/ledger", test: "TestFloorOfASharedAccount",
	},
	{
		name: "an agent never owes more than its ceiling", file: "internal/cashin/agent.go",
		text:        `floor := -a.Ceiling`,
		replacement: `floor := -money.Max`,
		pkg:         "./internal/cashin", test: "TestCeilingReachedByTwoAtOnce",
	},
}
