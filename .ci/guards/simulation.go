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
		text:        `"(outcome IS NULL OR outcome IN ('unknown', 'later'))"`,
		replacement: `"(outcome IS NOT NULL AND outcome IN ('unknown', 'later'))"`,
		pkg:         "./internal/simulation", test: "TestLives",
	},
	{
		name: "simulated: no refund by a refusal behind 1 or 90", file: "internal/payment/store_delivery.go",
		text:        `outcome IN ('unknown', 'later'))"`,
		replacement: `outcome IN ('unknown'))"`,
		pkg:         "./internal/simulation", test: "TestLives",
	},
	{
		name: "simulated: an SMS whose answer was lost waits for its receipt", file: "internal/notify/sms/worker.go",
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
