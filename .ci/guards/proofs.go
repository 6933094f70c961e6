package main

// What the books and the outbox stand on, and the audit that proves the books.
var proofGuards = []guard{
	{
		name: "once only: the same key twice in a batch", file: "internal/ledger/batch.go",
		text:        `	b.posted[p.Key] = row`,
		replacement: ``,
		pkg:         "./internal/ledger", test: "TestCases",
	},
	{
		name: "a wallet takes no more than its limit", file: "internal/ledger/batch.go",
		text:        `case c.most > 0 && c.delta > 0 && after > c.most:`,
		replacement: `case c.most > 0 && c.delta > 0 && after > c.most && false:`,
		pkg:         "./internal/ledger", test: "TestCases",
	},
	{
		name: "an entry never moves more than can be added up", file: "internal/ledger/ledger.go",
		text:        `if e.Amount == 0 || e.Amount > money.Max || e.Amount < -money.Max {`,
		replacement: `if e.Amount == 0 {`,
		pkg:         "./internal/ledger", test: "TestMalformedPostingsAreRefused",
	},
	{
		name: "an entry to no account takes its transfer back", file: "internal/database/record.go",
		text:        `if result.Error == nil && result.RowsAffected != c.count() {`,
		replacement: `if false {`,
		pkg:         "./internal/ledger", test: "TestMalformedPostingsAreRefused",
	},
	{
		name: "a commit whose answer was lost is asked again", file: "internal/ledger/flight.go",
		text:        `again := lost || database.Taken(err)`,
		replacement: `again := database.Taken(err)`,
		pkg:         "./internal/ledger", test: "TestLostAnswerOfACommit",
	},
	{
		name: "two never give each other what neither has", file: "internal/ledger/batch.go",
		text:        `if b.refused() || b.crossed {`,
		replacement: `if b.refused() {`,
		pkg:         "./internal/ledger", test: "TestLedgerIsLinearizable",
	},
	{
		name: "a wallet takes no more than its limit at the first try", file: "internal/ledger/store.go",
		text:        `" AND (v.most = 0 OR accounts.balance + v.amount <= v.most)))"`,
		replacement: `" AND (v.most = 0 OR accounts.balance = accounts.balance)))"`,
		pkg:         "./internal/ledger", test: "TestCases",
	},
	{
		name: "a rider's refusal counts at the first try", file: "internal/ledger/batch.go",
		text:        `if verdict() != nil {`,
		replacement: `if verdict() != nil && false {`,
		pkg:         "./internal/ledger", test: "TestJudgeSeesWhatWasAccepted",
	},
	{
		name: "a poisoned rider spoils only its own posting", file: "internal/ledger/flight.go",
		text:        `if len(batch) > 1 && !unknown &&`,
		replacement: `if len(batch) > 1 && !unknown && false &&`,
		pkg:         "./internal/ledger", test: "TestRefusalNeverFailsNeighbours",
	},
	{
		name: "a rider that panics doesn't end the process", file: "internal/ledger/flight.go",
		text:        `if r := recover(); r != nil {`,
		replacement: `if r := any(nil); r != nil {`,
		pkg:         "./internal/ledger", test: "TestRefusalNeverFailsNeighbours",
	},
	{
		name: "a replay in the database writes no riders", file: "internal/ledger/batch.go",
		text:        `return outcome{receipt: Receipt{Transfer: row.ID, PostedAt: row.PostedAt, Replayed: true}}`,
		replacement: `b.accepted = append(b.accepted, &acceptedPosting{b.tx.NewID(), j})`,
		pkg:         "./internal/ledger", test: "TestReplayWritesNoRiders",
	},
	{
		name: "a closed ledger takes nothing", file: "internal/ledger/ledger.go",
		text:        `	if l.closed {`,
		replacement: `	if false {`,
		pkg:         "./internal/ledger", test: "TestCloseDrains",
	},
	{
		name: "nothing erased: entries on PostgreSQL", file: "migrations/00010_ledger_append_only.postgres.sql",
		text:        `BEFORE UPDATE OR DELETE ON entries`,
		replacement: `BEFORE DELETE ON entries`,
		pkg:         "./internal/ledger", test: "TestNothingErased",
	},
	{
		name: "nothing erased: TRUNCATE", file: "migrations/00010_ledger_append_only.postgres.sql",
		text:        `BEFORE TRUNCATE ON entries`,
		replacement: `BEFORE TRUNCATE ON promises`,
		pkg:         "./internal/ledger", test: "TestNothingErased",
	},
	{
		name: "nothing erased: transfers on SQLite", file: "migrations/00010_ledger_append_only.sqlite.sql",
		text:        `BEFORE DELETE ON transfers`,
		replacement: `BEFORE DELETE ON promises`,
		pkg:         "./internal/ledger", test: "TestNothingErased",
	},
	{
		name: "an account keeps its identity", file: "migrations/00010_ledger_append_only.sqlite.sql",
		text:        `BEFORE UPDATE OF id, kind, subject, currency, opened_at ON accounts`,
		replacement: `BEFORE UPDATE OF kind, subject, opened_at ON accounts`,
		pkg:         "./internal/ledger", test: "TestNothingErased",
	},
	{
		name: "a commit without an answer is unknown", file: "internal/database/tx.go",
		text:        `	return fault.New(fault.Unknown, "database.commit", "").Because(err)`,
		replacement: `	return err`,
		pkg:         "./internal/database", test: "TestCutCommitIsUnknown",
	},
	{
		name: "a cut connection is run again", file: "internal/database/postgres.go",
		text:        `code == "57P01" || code == "57P02"`,
		replacement: `code == "57P02"`,
		pkg:         "./internal/database", test: "TestCutConnectionIsRunAgain",
	},
	{
		name: "a history: what a caller left is not told as not done", file: "internal/ledger/ledger.go",
		text:        `return Receipt{}, fault.New(fault.Unknown, "ledger.post", "").Because(ctx.Err())`,
		replacement: `return Receipt{}, fault.New(fault.Unavailable, "ledger.post", "").Because(ctx.Err())`,
		pkg:         "./internal/ledger", test: "TestHistoriesAreLinearizable",
	},
	{
		name: "a history: a repeat is told the first answer, not what stands against it today", file: "internal/ledger/batch.go",
		text:        `posted, err := readPosted(b.tx, keysOf(b.batch))`,
		replacement: `posted, err := map[string]postedRow{}, error(nil)`,
		pkg:         "./internal/ledger", test: "TestHistoriesAreLinearizable",
	},
	{
		name: "a history: who gives up and asks again is not posted twice", file: "internal/ledger/batch.go",
		text: `	families := make([][]database.Rider, 0, len(riders))`,
		replacement: `	for i, a := range b.accepted {
		a.job.posting.Key = a.job.posting.Key + b.now.String() + strings.Repeat("+", i)
	}
	families := make([][]database.Rider, 0, len(riders))`,
		pkg: "./internal/ledger", test: "TestHistoriesAreLinearizable",
	},
	{
		name: "a history: a commit whose answer was lost is not told as not done", file: "internal/database/tx.go",
		text:        `return fault.New(fault.Unknown, "database.commit", "").Because(err)`,
		replacement: `return fault.New(fault.Unavailable, "database.commit", "").Because(err)`,
		pkg:         "./internal/ledger", test: "TestHistoriesWithLostCommits",
	},
	{
		name: "a history: what a lost commit did is looked up", file: "internal/ledger/flight.go",
		text:        `outcomes, err = f.try(batch, careful || try > 0)`,
		replacement: `outcomes, err = f.try(batch, false)`,
		pkg:         "./internal/ledger", test: "TestHistoriesWithLostCommits",
	},
	{
		name: "what the database refuses for another's sake is run again", file: "internal/database/tx.go",
		text:        `case "40001", "40P01", // serialization failure, deadlock`,
		replacement: `case "40P01",`,
		pkg:         "./internal/ledger", test: "TestTwoProcesses/serializable",
	},
	// The outbox.
	{
		name: "claims find what is due by its index", file: "migrations/00002_outbox.sql",
		text:        `ON promises (lane, due_at) WHERE`,
		replacement: `ON promises (made_at) WHERE`,
		pkg:         "./web", test: "TestPlansOfAPayment",
	},
	{
		name: "a claim reads what it takes", file: "internal/outbox/store.go",
		text:        `them = "= ANY (ARRAY(SELECT id FROM picked))"`,
		replacement: `_ = them`,
		pkg:         "./internal/outbox", test: "TestPlansReadWhatIsMeant",
	},
	{
		name: "what ends claims reads what is meant", file: "internal/outbox/store.go",
		text:        `const unended = "state NOT IN ('kept', 'failed')"`,
		replacement: `const unended = "state = 'open'"`,
		pkg:         "./internal/outbox", test: "TestPlansReadWhatIsMeant",
	},
	{
		name: "a task is claimed once", file: "internal/outbox/store.go",
		text:        `skip = " FOR UPDATE SKIP LOCKED"`,
		replacement: `skip = ""`,
		pkg:         "./internal/outbox", test: "TestClaimedOnce",
	},
	{
		name: "a lost lease puts nothing off", file: "internal/outbox/store.go",
		text: `lease = 0"+
		" FROM v WHERE promises.id = v.id AND promises.lease = v.lease AND`,
		replacement: `lease = 0"+
		" FROM v WHERE promises.id = v.id AND`,
		pkg: "./internal/outbox", test: "TestLeaseRunsOut",
	},
	{
		name: "a lost lease gives nothing up", file: "internal/outbox/store.go",
		text: `SET state = 'failed', payload = '', ended_at = ?"+
		" FROM v WHERE promises.id = v.id AND promises.lease = v.lease AND`,
		replacement: `SET state = 'failed', payload = '', ended_at = ?"+
		" FROM v WHERE promises.id = v.id AND`,
		pkg: "./internal/outbox", test: "TestLeaseRunsOut",
	},
	{
		name: "what was sent is forgotten", file: "internal/outbox/store.go",
		text:        `SET state = 'kept', payload = '', ended_at = ? WHERE id "+these`,
		replacement: `SET state = 'kept', ended_at = ? WHERE id "+these`,
		pkg:         "./internal/outbox", test: "TestClaimAndKeep",
	},
	{
		name: "a panic spoils one task", file: "internal/outbox/work.go",
		text:        `if r := recover(); r != nil {`,
		replacement: `if r := any(nil); r != nil {`,
		pkg:         "./internal/outbox", test: "TestPanicIsContained",
	},
	{
		name: "work under way is finished", file: "internal/outbox/work.go",
		text: `		running.Wait()
		w.Idle`,
		replacement: `		w.Idle`,
		pkg:         "./internal/outbox", test: "TestWorkDrains",
	},
	// The audit.
	{
		name: "the audit sees one moment", file: "internal/database/tx.go",
		text:        `options.Isolation = sql.LevelRepeatableRead`,
		replacement: `options.Isolation = sql.LevelReadCommitted`,
		pkg:         "./internal/database", test: "TestReadTx",
	},
	{
		name: "the audit can't write", file: "internal/database/tx.go",
		text:        `&sql.TxOptions{ReadOnly: true}`,
		replacement: `&sql.TxOptions{ReadOnly: false}`,
		pkg:         "./internal/database", test: "TestReadTx",
	},
	{
		name: "the audit adds up every transfer", file: "internal/audit/store_books.go",
		text:        `GROUP BY transfer_id HAVING SUM(amount) <> 0) s`,
		replacement: `GROUP BY transfer_id HAVING SUM(amount) <> 0 AND 1 = 0) s`,
		pkg:         "./internal/audit", test: "TestPlantedViolationsAreFound/an_entry's_amount_is_changed",
	},
	{
		name: "the audit compares balances with entries", file: "internal/audit/store_books.go",
		text:        `WHERE a.balance <> COALESCE(s.total, 0)`,
		replacement: `WHERE a.balance <> a.balance`,
		pkg:         "./internal/audit", test: "TestPlantedViolationsAreFound/money_moves_from_wallet_to_wallet_without_a_transfer",
	},
	{
		name: "the audit wants the append-only triggers", file: "internal/audit/checks.go",
		text:        `triggers, "trigger {what}`,
		replacement: `triggers + " AND 1 = 0", "trigger {what}`,
		pkg:         "./internal/audit", test: "TestSilencedTriggersAreFound",
	},
	{
		name: "the audit reads what a trigger says, on SQLite", file: "internal/audit/store_triggers.go",
		text:        `AND REPLACE(m.sql, CHAR(10), ' ') = `,
		replacement: `AND '' <> `,
		pkg:         "./internal/audit", test: "TestSilencedTriggersAreFound",
	},
	{
		name: "the audit reads what a trigger says, on PostgreSQL", file: "internal/audit/store_triggers.go",
		text:        `AND pg_get_triggerdef(g.oid, TRUE) = `,
		replacement: `AND '' <> `,
		pkg:         "./internal/audit", test: "TestSilencedTriggersAreFound",
	},
	{
		name: "the audit reads what a trigger's function does", file: "internal/audit/store_triggers.go",
		text:        `AND TRIM(regexp_replace(f.prosrc, `,
		replacement: `OR TRIM(regexp_replace(f.prosrc, `,
		pkg:         "./internal/audit", test: "TestSilencedTriggersAreFound",
	},
	{
		name: "the audit wants triggers on", file: "internal/audit/store_triggers.go",
		text:        ` AND g.tgenabled IN ('O', 'A')`,
		replacement: ``,
		pkg:         "./internal/audit", test: "TestSilencedTriggersAreFound",
	},
	{
		name: "the audit wants to know every act", file: "internal/audit/store_acts.go",
		text:        ` OR t.act NOT IN ` + "` + knownActs + `" + `)`,
		replacement: `)`,
		pkg:         "./internal/audit", test: "TestPlantedViolationsAreFound/money_moves_by_an_act_that_nobody_knows",
	},
	{
		name: "the audit knows no act that is not posted", file: "internal/audit/store_acts.go",
		text:        `'cashin.pay_in', 'wallet.transfer', 'settle.agent', 'settle.biller')`,
		replacement: `'cashin.pay_in', 'wallet.transfer', 'settle.agent', 'settle.biller', 'wallet.gift')`,
		pkg:         "./internal/audit", test: "TestKnownActsAreThoseThatArePosted",
	},
	{
		name: "the audit wants to know every payment's state", file: "internal/audit/store_acts.go",
		text:        `WHERE p.state NOT IN ` + "` + knownStates + `" + ` OR (p.state`,
		replacement: `WHERE (p.state`,
		pkg:         "./internal/audit", test: "TestPlantedViolationsAreFound/a_refunded_payment_gets_a_state_that_nobody_knows",
	},
	{
		name: "going back leaves what has a floor alone, on PostgreSQL", file: "migrations/00020_stripes.postgres.sql",
		text:        `WHERE floor IS NULL AND id IN`,
		replacement: `WHERE id IN`,
		pkg:         "./internal/ledger", test: "TestStripesFoldBack",
	},
	{
		name: "going back leaves what has a floor alone, on SQLite", file: "migrations/00020_stripes.sqlite.sql",
		text:        `WHERE floor IS NULL AND id IN`,
		replacement: `WHERE id IN`,
		pkg:         "./internal/ledger", test: "TestStripesFoldBack",
	},
	{
		name: "the audit compares transit with open payments", file: "internal/audit/store_acts.go",
		text:        `WHERE COALESCE(a.balance, 0) <> COALESCE(o.total, 0)`,
		replacement: `WHERE 1 = 0`,
		pkg:         "./internal/audit", test: "TestPlantedViolationsAreFound/a_payment_without_money",
	},
	{
		name: "the audit wants each payment's end by its state", file: "internal/audit/store_acts.go",
		text:        `ON t.request_key = w.request_key AND t.act = w.act WHERE t.id IS NULL`,
		replacement: `ON t.request_key = w.request_key WHERE t.id IS NULL`,
		pkg:         "./internal/audit", test: "TestPlantedViolationsAreFound/a_settled_payment_is_said_to_be_refunded",
	},
	{
		name: "the audit wants a delivery for what is processing", file: "internal/audit/store_acts.go",
		text:        `WHERE p.state = 'processing' AND COALESCE(d.state, '') <> 'open'`,
		replacement: `WHERE p.state = 'processing' AND d.state IS NULL`,
		pkg:         "./internal/audit", test: "TestPlantedViolationsAreFound/a_delivery_is_forgotten",
	},
	{
		name: "the audit wants a transfer for a credited cash-in", file: "internal/audit/store_acts.go",
		text:        `AND t.act = 'cashin.pay_in' WHERE t.id IS NULL`,
		replacement: `AND t.act = 'cashin.pay_in' WHERE t.id < 0`,
		pkg:         "./internal/audit", test: "TestPlantedViolationsAreFound/a_refused_cash-in_is_said_to_be_credited",
	},
}
