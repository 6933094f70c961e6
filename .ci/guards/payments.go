package main

var paymentGuards = []guard{
	{
		name: "settle and refund share one key", file: "internal/payment/end.go",
		text:        `posting := ledger.Posting{Key: EndKey(p.ID), Act: "payment.refund"`,
		replacement: `posting := ledger.Posting{Key: EndKey(p.ID) + "!", Act: "payment.refund"`,
		pkg:         "./internal/payment", test: "TestGoodAfterRefundIsAClaim",
	},
	{
		name: "an unfinished answer repeats, never ends", file: "internal/payment/outcome.go",
		text: `	}
	return again
}`,
		replacement: `	}
	return refund
}`,
		pkg: "./internal/payment", test: "TestAnswers",
	},
	{
		name: "twelve calls at once over all processes", file: "internal/payment/store_delivery.go",
		text:        `(until <= ? OR lease `,
		replacement: `(COALESCE(?, until) IS NOT NULL OR lease `,
		pkg:         "./internal/payment", test: "TestTwelveCallsAtOnce",
	},
	{
		name: "twelve calls at once of those claimed ahead", file: "internal/payment/held.go",
		text:        `one := h.slots[s.Slot] // a call that has it goes on`,
		replacement: `var one *heldSlot`,
		pkg:         "./internal/payment", test: "TestClaimedAhead",
	},
	{
		name: "what could outlast its claim is not called", file: "internal/payment/deliver.go",
		text:        `if own == nil || c.until.Before(over()) {`,
		replacement: `if false {`,
		pkg:         "./internal/payment", test: "TestNoTimeLeft",
	},
	{
		name: "what can't be recorded spoils no other", file: "internal/database/gather.go",
		text:        `if len(list) == 1 || fault.Is(err, fault.Unavailable) {`,
		replacement: `if true {`,
		pkg:         "./internal/payment", test: "TestWhatCantBeRecorded",
	},
	{
		name: "limits of a day and a month", file: "internal/limit/spending.go",
		text:        `if err := exceeds(rows[i].level, sums[id], total); err != nil {`,
		replacement: `if err := exceeds(rows[i].level, sums[id], total); err != nil && false {`,
		pkg:         "./internal/payment", test: "TestLimits",
	},
	{
		name: "only HTTP 200 counts", file: "internal/biller/osmp/client.go",
		text:        `if response.StatusCode != http.StatusOK {`,
		replacement: `if response.StatusCode == 0 {`,
		pkg:         "./internal/biller/osmp", test: "TestBadDays",
	},
	{
		name: "a question over a kept connection is not repeated", file: "internal/biller/osmp/client.go",
		text:        `request.Body, request.Close = unrepeatable{}, !c.keeps.Load()`,
		replacement: `request.Close = !c.keeps.Load()`,
		pkg:         "./internal/biller/osmp", test: "TestBrokenKeptConnectionIsNotRepeated",
	},
	{
		name: "only who names the question keeps the connection", file: "internal/biller/osmp/client.go",
		text:        `named = len(reply.ids) > 0`,
		replacement: `named = true`,
		pkg:         "./internal/biller/osmp", test: "TestWhoseConnectionsAreKept",
	},
}
