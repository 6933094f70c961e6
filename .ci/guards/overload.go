package main

var overloadGuards = []guard{
	{
		name: "a balancer hears that it is draining", file: "cmd/elsom/serve.go",
		text:        `h.draining.Store(true)`,
		replacement: ``,
		pkg:         "./cmd/elsom", test: "TestDraining",
	},
	{
		name: "a door has so many inside and no more", file: "web/crowd.go",
		text:        `make(chan struct{}, most)`,
		replacement: `make(chan struct{}, most+1)`,
		pkg:         "./web", test: "TestCrowdedDoor",
	},
	{
		name: "who sends slowly takes no place", file: "web/crowd.go",
		text:        `if err := readWhole(c.Request()); err != nil {`,
		replacement: `if err := error(nil); err != nil {`,
		pkg:         "./web", test: "TestSlowSendersCrowdNobody",
	},
}
