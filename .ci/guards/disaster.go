package main

// What the disaster suite would miss in the real programs.
var disasterGuards = []guard{
	{
		name: "a server without a free connection is away, not broken", file: "internal/database/tx.go",
		text:        `			"53300": // too many connections`,
		replacement: `			"XX000":`,
		pkg:         "./cmd/elsom", test: "TestDisasterFewConnections",
	},
}
