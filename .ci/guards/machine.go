package main

var machineGuards = []guard{
	{
		name: "a gateway's password opens its own routes only", file: "web/basicauth/admission.go",
		text:        `case err == nil && r.May != nil && !r.May(who):`,
		replacement: `case false:`,
		pkg:         "./cmd/elsom", test: "TestGatewayScopes",
	},
	{
		name: "agents and gateways are added with addresses", file: "cmd/elsom/caller.go",
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
		pkg:         "./internal/cashin", test: "TestAddAgent",
	},
	{
		name: "a PIN dialed with the code pays nothing", file: "web/ussd/dial.go",
		text:        `		case actQuote, actQuoteTransfer:`,
		replacement: `		case actQuote, actQuoteTransfer, actPay, actTransfer, actBalance, actChangePIN, actTongue:`,
		pkg:         "./web/ussd", test: "TestDialedAlongDoesNothing",
	},
	{
		name: "a text that may be a lost confirmation asks for no PIN", file: "web/ussd/dial.go",
		text:        `return s, !sure, nil`,
		replacement: `return s, false && sure, nil`,
		pkg:         "./web/ussd", test: "TestDialedAlongDoesNothing",
	},
	{
		name: "a session's name is used again after its END", file: "web/ussd/dial.go",
		text:        `case over && !extends && (t.begins() || !heard):`,
		replacement: `case false && heard:`,
		pkg:         "./web/ussd", test: "TestSessionIsUsedAgain",
	},
	{
		name: "a repeated sum is not taken for a PIN", file: "web/ussd/dial.go",
		text:        `age < repeatOf[found.Content.State.Step]`,
		replacement: `false`,
		pkg:         "./web/ussd", test: "TestLastInputs",
	},
	{
		name: "a prefix with 0 or 996 is refused", file: "internal/catalog/file.go",
		text:        `if strings.HasPrefix(value, "0") || strings.HasPrefix(value, countryCode) {`,
		replacement: `if false {`,
		pkg:         "./internal/catalog", test: "TestPrefixesThatMatchNoNumber",
	},
	{
		name: "a settlement above the debt is refused", file: "internal/settlement/settlement.go",
		text:        `case o.Amount > owed:`,
		replacement: `case false:`,
		pkg:         "./cmd/elsom", test: "TestSettleBiller",
	},
	{
		name: "a reference is settled with one sum", file: "internal/settlement/settlement.go",
		text:        `case known && before.Amount != o.Amount:`,
		replacement: `case false:`,
		pkg:         "./cmd/elsom", test: "TestSettleAgent",
	},
	{
		name: "settlements at once don't exceed the debt", file: "internal/settlement/settlement.go",
		text:        `number, err := nextNumber(ctx, s.db, o)`,
		replacement: `number, err := s.db.NewID(), ctx.Err()`,
		pkg:         "./cmd/elsom", test: "TestSettleAtOnce",
	},
	{
		name: "the same settlement at once is not refused", file: "internal/settlement/settlement.go",
		text: `	case known:
		number = before.Number`,
		replacement: `	case known && o.Amount <= owed:
		number = before.Number`,
		pkg: "./internal/settlement", test: "TestSettleTwiceAtOnce",
	},
	{
		name: "a ceiling is not set below the debt", file: "internal/ledger/ledger.go",
		text:        `known && now.Balance < floor {`,
		replacement: `known && now.Balance < floor && false {`,
		pkg:         "./cmd/elsom", test: "TestSettleAgent",
	},
}

func init() { guards = append(guards, machineGuards...) }
