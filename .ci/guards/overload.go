package main

var overloadGuards = []guard{
	{
		name: "a balancer hears that it is draining", file: "cmd/elsom/serve.go",
		text:        `h.draining.Store(true)`,
		replacement: ``,
		pkg:         "./cmd/elsom", test: "TestDraining",
	},
}
