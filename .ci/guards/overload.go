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
		text:        "func crowded(most int, words echo.HandlerFunc) echo.MiddlewareFunc {\n\tplaces := make(chan struct{}, most)",
		replacement: "func crowded(most int, words echo.HandlerFunc) echo.MiddlewareFunc {\n\tplaces := make(chan struct{}, most+1)",
		pkg:         "./web", test: "TestCrowdedDoor",
	},
	{
		name: "a slow sender takes no place", file: "web/server.go",
		text:        `bodies.receive(browserBody, busy), crowdedBrowser(crowd, busy),`,
		replacement: `crowdedBrowser(crowd, busy), bodies.receive(browserBody, busy),`,
		pkg:         "./web", test: "TestSlowSendersCrowdNobody",
	},
	{
		name: "a machine proves itself before its body is read", file: "web/server.go",
		text:        `private, verified(most, verify, busy), bodies.receive(body, busy), crowded(most, busy)`,
		replacement: `private, bodies.receive(body, busy), verified(most, verify, busy), crowded(most, busy)`,
		pkg:         "./cmd/elsom", test: "TestRefusedWithoutReading",
	},
	{
		name: "a body that is refused is not read", file: "web/body.go",
		text:        `_ = http.NewResponseController(c.Response()).SetReadDeadline(past)`,
		replacement: ``,
		pkg:         "./cmd/elsom", test: "TestRefusedWithoutReading",
	},
	{
		name: "bodies in flight have a budget", file: "web/body.go",
		text:        `if b.held+n > most {`,
		replacement: `if false {`,
		pkg:         "./web", test: "TestBodiesHaveABudget",
	},
	{
		name: "large bodies leave room for people's forms", file: "web/body.go",
		text:        `most -= most / 4`,
		replacement: `most -= 0`,
		pkg:         "./web", test: "TestBodiesHaveABudget",
	},
	{
		name: "a slow body ends", file: "web/body.go",
		text:        `func() { _ = conn.SetReadDeadline(past) }`,
		replacement: `func() {}`,
		pkg:         "./web", test: "TestSlowBodyEnds",
	},
	{
		name: "only bodies that gain by it are compressed", file: "web/compress.go",
		text:        `if w.size() < leastCompressed ||`,
		replacement: `if w.size() < 0 ||`,
		pkg:         "./web", test: "TestOnlyWorthwhileBodiesAreCompressed",
	},
}
