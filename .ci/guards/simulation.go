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
		text:        `if rerun || b.refused() {`,
		replacement: `if b.refused() {`,
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
