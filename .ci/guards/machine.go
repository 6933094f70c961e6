package main

var machineGuards = []guard{
	{
		name: "a gateway's password opens its own routes only", file: "web/admission/admission.go",
		text:        `case err == nil && r.May != nil && !r.May(who):`,
		replacement: `case false:`,
		pkg:         "./cmd/elsom", test: "TestGatewayScopes",
	},
	{
		name: "the addresses of a caller are chosen", file: "cmd/elsom/caller.go",
		text:        `	if len(addresses) == 0 {`,
		replacement: `	if addresses == nil && command == "" {`,
		pkg:         "./cmd/elsom", test: "TestAddWantsAddresses",
	},
	{
		name: "a caller open to all addresses is warned of", file: "cmd/elsom/caller.go",
		text:        `if len(a.Allowed) == 0 && !a.Disabled {`,
		replacement: `if a.Disabled {`,
		pkg:         "./cmd/elsom", test: "TestAddWantsAddresses",
	},
	{
		name: "an agent gets no second code", file: "internal/cashin/agent.go",
		text:        `if other != "" && other != a.Code {`,
		replacement: `if false {`,
		pkg:         "./cmd/elsom", test: "TestSetAndEnable",
	},
}

func init() { guards = append(guards, machineGuards...) }
