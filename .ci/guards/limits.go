package main

// limitGuards are about rate limits that must not keep honest callers out.
var limitGuards = []guard{
	{
		name: "a machine at work is recognized after a restart", file: "internal/credential/match.go",
		text:        `if k.keyed && hmac.Equal([]byte(lock.MAC), []byte(mac)) {`,
		replacement: `if false {`,
		pkg:         "./web", test: "TestMachinesAreAdmittedAfterARestart",
	},
	{
		name: "a password that was found right is stored as a keyed hash", file: "internal/credential/match.go",
		text:        `if !k.keyed || lock.Keep == nil {`,
		replacement: `if true {`,
		pkg:         "./internal/cashin", test: "TestRightPasswordIsNoTry",
	},
	{
		name: "a keyed hash ends with its password", file: "internal/credential/match.go",
		text:        `for _, text := range []string{code, hash, password} {`,
		replacement: `for _, text := range []string{code, password} {`,
		pkg:         "./internal/cashin", test: "TestRightPasswordIsNoTry",
	},
	{
		name: "a known browser takes its first step behind a busy address", file: "internal/customer/limits.go",
		text:        `return cs.o.Attempts.Take(ctx, knownDevice, number.String()+" "+from.Device)`,
		replacement: `break`,
		pkg:         "./web", test: "TestKnownBrowsersAreServedBehindABusyAddress",
	},
	{
		name: "sign-up remembers the browser", file: "internal/customer/signup.go",
		text:        `return holder, nil, cs.remember(tx, holder.ID, from, now)`,
		replacement: `return holder, nil, cs.remember(tx, holder.ID, Origin{Address: from.Address}, now)`,
		pkg:         "./web", test: "TestKnownBrowsersAreServedBehindABusyAddress",
	},
	{
		name: "codes are reserved for networks without abuse", file: "internal/customer/limits.go",
		text:        `	if abused != nil || !fault.Is(err, fault.TooMany) {`,
		replacement: `	if true {`,
		pkg:         "./web", test: "TestCodesAreReservedForPlacesWithoutAbuse",
	},
	{
		name: "reserved codes are not for a network that asked before", file: "internal/customer/limits.go",
		text:        `	if abused != nil || !fault.Is(err, fault.TooMany) {`,
		replacement: `	if !fault.Is(err, fault.TooMany) {`,
		pkg:         "./web", test: "TestCodesAreReservedForPlacesWithoutAbuse",
	},
	{
		name: "SMS codes for unknown visitors have a daily limit", file: "internal/customer/limits.go",
		text:        `return cs.takeBudget(ctx, from)`,
		replacement: `return nil`,
		pkg:         "./internal/customer", test: "TestBudgetOfCodesForStrangers",
	},
	{
		name: "SMS codes for a number have a daily limit", file: "internal/customer/limits.go",
		text:        `err := cs.take(ctx, number.String(), codeNumber, codeNumberDay)`,
		replacement: `err := cs.take(ctx, number.String(), codeNumber)`,
		pkg:         "./internal/customer", test: "TestCodesOfADayAreLimited",
	},
	{
		name: "a refused request stores no session", file: "web/session/session.go",
		text:        `s.refused && !v.stored {`,
		replacement: `s.refused && !v.stored && false {`,
		pkg:         "./web/session", test: "TestRefusedStoresNothing",
	},
	{
		name: "logins from known browsers are hashed first", file: "internal/password/queue.go",
		text:        `	if behind {`,
		replacement: `	if false {`,
		pkg:         "./web", test: "TestKnownBrowsersLogInDuringAStorm",
	},
	{
		name: "logins from unknown places are hashed last", file: "internal/customer/login.go",
		text:        `	if k.device || k.address {`,
		replacement: `	if true {`,
		pkg:         "./web", test: "TestKnownBrowsersLogInDuringAStorm",
	},
	{
		name: "SMS with codes have their own queue", file: "internal/notify/sms/sms.go",
		text:        `	return outbox.Promise{Lane: CodeLane, Key: key, Payload: p}`,
		replacement: `	return outbox.Promise{Lane: Lane, Key: key, Payload: p}`,
		pkg:         "./internal/notify/sms", test: "TestCodesGoBeforeEverythingElse",
	},
	{
		name: "notices for a number have a daily limit", file: "internal/notify/sms/worker.go",
		text:        `			if call && dropped[rows[i].ID] {`,
		replacement: `			if call && dropped[0] {`,
		pkg:         "./internal/notify/sms", test: "TestNoticesOfADayAreLimited",
	},
	{
		name: "notices left out take no room", file: "internal/notify/sms/store.go",
		text:        `messages.id < v.id AND messages.state <> ?) >= v.most`,
		replacement: `messages.id < v.id AND messages.state <> '-' || ?) >= v.most`,
		pkg:         "./internal/notify/sms", test: "TestNoticesLeftOutTakeNoRoom",
	},
	{
		name: "notices of money that came leave room", file: "internal/notify/sms/worker.go",
		text:        `			if a.words.Came {`,
		replacement: `			if a.words.Came && n.most == 0 {`,
		pkg:         "./internal/notify/sms", test: "TestNoticesOfMoneyThatCameLeaveRoom",
	},
	{
		name: "a transfer's receiver gets a notice that others caused", file: "internal/wallet/accept.go",
		text:        `Key: "sms.transfer_got", Notice: true, Came: true,`,
		replacement: `Key: "sms.transfer_got", Notice: true,`,
		pkg:         "./internal/wallet", test: "TestTransfer",
	},
	{
		name: "a cash-in's notice is one that others caused", file: "internal/cashin/pay.go",
		text:        `Key: "sms.topped_up", Notice: true, Came: true,`,
		replacement: `Key: "sms.topped_up", Notice: true,`,
		pkg:         "./internal/cashin", test: "TestResultsAreFinal",
	},
	{
		name: "payments have a minimum of one som", file: "internal/catalog/catalog.yaml",
		text: `    # Each payment costs an SMS, so the least is a som until then.
    minimum: "1"`,
		replacement: `    minimum: none`,
		pkg:         "./web", test: "TestSumsBelowTheMinimumAreRefused",
	},
	{
		name: "transfers have a minimum of one som", file: "internal/wallet/quote.go",
		text:        `if wrongAmount == nil && amount < MinTransfer {`,
		replacement: `if false {`,
		pkg:         "./web", test: "TestSumsBelowTheMinimumAreRefused",
	},
	{
		name: "a gateway with many wrong PINs is slowed down", file: "web/ussd/act.go",
		text:        `	if err := d.pins.wait(ctx, a.gateway); err != nil {`,
		replacement: `	if err := error(nil); err != nil {`,
		pkg:         "./web", test: "TestGatewayWithManyWrongPINsIsSlowedDown",
	},
	{
		name: "wrong PINs are counted by gateway", file: "web/ussd/pins.go",
		text:        `	err = p.attempts.Take(ctx, wrongPINs, gateway)`,
		replacement: `	err = nil`,
		pkg:         "./web", test: "TestGatewayWithManyWrongPINsIsSlowedDown",
	},
	{
		name: "a busy gateway's typing errors are not counted", file: "web/ussd/pins.go",
		text:        `	if excused || p.attempts == nil {`,
		replacement: `	if excused = false; excused || p.attempts == nil {`,
		pkg:         "./web/ussd", test: "TestTypingErrorsOfABusyGatewayAreNotCounted",
	},
	{
		name: "an aborted request is not logged as an error", file: "web/server.go",
		text:        `if c.Request().Context().Err() != nil {`,
		replacement: `if false {`,
		pkg:         "./web", test: "TestAbortedRequestIsNoError",
	},
}
