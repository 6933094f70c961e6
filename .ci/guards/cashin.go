package main

var cashinGuards = []guard{
	{
		name: "an agent's id stands for one account and sum", file: "internal/cashin/pay.go",
		text:        `case was.Account != want.Account || was.Sum != want.Sum:`,
		replacement: `case false:`,
		pkg:         "./internal/cashin", test: "TestAnotherAccountOrSumUnderOneID",
	},
	{
		name: "no wallet holds more than its level allows", file: "internal/cashin/pay.go",
		text:        `, Most: found.level.Balance}`,
		replacement: `}`,
		pkg:         "./internal/cashin", test: "TestBalanceLimitReachedByTwoAtOnce",
	},
	{
		name: "what can't be paid is not shown", file: "internal/catalog/snapshot.go",
		text:        ` || !biller.Connected()`,
		replacement: ``,
		pkg:         "./internal/catalog", test: "TestWhoIsConnected",
	},
}
