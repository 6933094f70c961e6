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
		name: "a slow sender does not count as a request in flight", file: "web/server.go",
		text:        `bodies.receive(browserBody, busy), crowdedBrowser(crowd, busy),`,
		replacement: `crowdedBrowser(crowd, busy), bodies.receive(browserBody, busy),`,
		pkg:         "./web", test: "TestSlowSendersCrowdNobody",
	},
	{
		name: "a machine is authenticated before its body is read", file: "web/server.go",
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
		name: "large bodies leave room for small forms", file: "web/body.go",
		text:        `most -= most / 4`,
		replacement: `most -= 0`,
		pkg:         "./web", test: "TestBodiesHaveABudget",
	},
	{
		name: "strangers' bodies keep no machine out", file: "web/server.go",
		text:        `d.machines(e, crowd.Machines, &bodyBudget{most: crowd.Bodies})`,
		replacement: `d.machines(e, crowd.Machines, bodies)`,
		pkg:         "./web", test: "TestStrangersBodiesKeepNoMachineOut",
	},
	{
		name: "a slow body ends", file: "web/body.go",
		text:        `func() { _ = conn.SetReadDeadline(past) }`,
		replacement: `func() { _ = conn.Flush }`,
		pkg:         "./web", test: "TestSlowBodyEnds",
	},
	{
		name: "only bodies that gain by it are compressed", file: "web/compress.go",
		text:        `if w.size() < leastCompressed ||`,
		replacement: `if w.size() < 0 ||`,
		pkg:         "./web", test: "TestOnlyWorthwhileBodiesAreCompressed",
	},
	{
		name: "a closed log does not end the program", file: "cmd/elsom/main.go",
		text:        `signal.Ignore(syscall.SIGPIPE) // a reader`,
		replacement: `// a reader`,
		pkg:         "./cmd/elsom", test: "TestLogNobodyReads/gone",
	},
	{
		name: "a stalled log does not block the program", file: "cmd/elsom/main.go",
		text:        `slog.NewJSONHandler(logs, nil)`,
		replacement: `slog.NewJSONHandler(os.Stderr, nil)`,
		pkg:         "./cmd/elsom", test: "TestLogNobodyReads/stalled",
	},
	{
		name: "the log buffer is bounded", file: "cmd/elsom/log.go",
		text:        `if len(w.waiting)+len(lines) > w.most {`,
		replacement: `if false {`,
		pkg:         "./cmd/elsom", test: "TestLogOfAStalledReader",
	},
	{
		name: "dropped log lines are reported", file: "cmd/elsom/log.go",
		text:        `lost > reported && w.write(droppedLine(lost-reported))`,
		replacement: `lost > reported`,
		pkg:         "./cmd/elsom", test: "TestLogOfAStalledReader",
	},
	{
		name: "SIGHUP ends in order", file: "cmd/elsom/main.go",
		text:        `signals = append(signals, syscall.SIGHUP)`,
		replacement: ``,
		pkg:         "./cmd/elsom", test: "TestDraining",
	},
	{
		name: "an audit's exit code survives a closed output", file: "cmd/elsom/migrate.go",
		text:        `if !audit.Holds() { // also`,
		replacement: `if printed == nil && !audit.Holds() { // also`,
		pkg:         "./cmd/elsom", test: "TestCommandsNobodyReads",
	},
	{
		name: "the collector keeps below the cgroup's limit", file: "cmd/elsom/memory.go",
		text:        `return min(hard, max(1, steps)*easyMemory)`,
		replacement: `return max(1, steps) * easyMemory`,
		pkg:         "./cmd/elsom", test: "TestSoftLimit",
	},
}
