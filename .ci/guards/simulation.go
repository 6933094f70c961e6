package main

// Bugs that the simulator finds by living on.
var simulationGuards = []guard{
	{
		name: "simulated: settled without asking whether it had ended", file: "internal/payment/end.go",
		text:        `posting := ledger.Posting{Key: EndKey(p.ID), Act: "payment.settle", Entries: []ledger.Entry{`,
		replacement: `posting := ledger.Posting{Key: EndKey(p.ID) + ":" + strconv.FormatInt(ps.DB.NewID(), 10), Act: "payment.settle", Entries: []ledger.Entry{`,
		pkg:         "./internal/simulation", test: "TestLives",
	},
	{
		name: "simulated: what a lost commit did isn't looked up", file: "internal/ledger/batch.go",
		text:        `if err := b.decide(ctx, posted); err != nil {`,
		replacement: `if clear(posted); b.decide(ctx, posted) != nil {`,
		pkg:         "./internal/simulation", test: "TestLives",
	},
	{
		name: "simulated: an attempt that died without an outcome is unknown", file: "internal/payment/store_delivery.go",
		text:        `SUM(CASE WHEN outcome IS NULL OR outcome = 'unknown' THEN 1`,
		replacement: `SUM(CASE WHEN outcome = 'unknown' THEN 1`,
		pkg:         "./internal/simulation", test: "TestLives",
	},
	{
		name: "simulated: an SMS whose answer was lost waits for its receipt", file: "internal/sms/worker.go",
		text:        `if r.AskedBy != 0 && !d.once {`,
		replacement: `if false {`,
		pkg:         "./internal/simulation", test: "TestLives",
	},
	{
		name: "simulated: refunded when the biller is silent", file: "internal/payment/outcome.go",
		text: `	case biller.Refused:
		if unknownBefore`,
		replacement: `	case biller.Unknown:
		return refund
	case biller.Refused:
		if unknownBefore`,
		pkg: "./internal/simulation", test: "TestLives",
	},
}
