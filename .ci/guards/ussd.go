package main

var ussdGuards = []guard{
	{
		name: "an answer of *900# is written once", file: "internal/ussdsession/store.go",
		text:        `FROM v WHERE dialogues.id = v.id AND dialogues.turn = v.turn`,
		replacement: `FROM v WHERE dialogues.id = v.id AND dialogues.turn <> -v.turn`,
		pkg:         "./internal/ussdsession", test: "TestOneAnswerWins",
	},
	{
		name: "a claimed turn is nobody else's", file: "internal/ussdsession/store.go",
		text:        `WHERE id = ? AND turn = ? AND (claim IN (0, ?) OR claimed_until_ms <= ?)`,
		replacement: `WHERE id = ? AND turn = ? AND (claim IN (0, ?) OR claim >= 0 OR claimed_until_ms <= ?)`,
		pkg:         "./internal/ussdsession", test: "TestOneClaimWins",
	},
	{
		name: "a dialogue ends after three minutes", file: "internal/ussdsession/dialogue.go",
		text:        `if r.EndsMs <= ds.now().UnixMilli() {`,
		replacement: `if false {`,
		pkg:         "./web/ussd", test: "TestSessionsEnd",
	},
	{
		name: "a session belongs to its number", file: "internal/ussdsession/dialogue.go",
		text:        `ds.Mark("name", n.Gateway, n.Session, n.Phone)`,
		replacement: `ds.Mark("name", n.Gateway, n.Session)`,
		pkg:         "./web/ussd", test: "TestSessionBelongsToItsNumber",
	},
	{
		name: "a repeat of *900# is no new input", file: "web/ussd/dial.go",
		text:        `case slices.Contains(found.Content.Past, t.mark()):`,
		replacement: `case slices.Contains(found.Content.Past, ""):`,
		pkg:         "./web/ussd", test: "TestInputsWithIDs",
	},
	{
		name: "an input from before is refused", file: "web/ussd/dial.go",
		text:        `t.in.At.Unix() < found.HeardAt().Unix()`,
		replacement: `false`,
		pkg:         "./web/ussd", test: "TestInputsWithIDs",
	},
	{
		name: "a payment of *900# takes its PIN", file: "web/ussd/act.go",
		text:        `	key := payment.PINKey(s.Check.Draft)` + "\n" + `	if err := d.Customers.CheckPIN(ctx, holder.ID, a.input, customer.ForPayment, key); err != nil {`,
		replacement: `	key := payment.PINKey(s.Check.Draft)` + "\n" + `	if err := d.Customers.CheckPIN(ctx, holder.ID, a.input, customer.ForBalance, ""); err != nil {`,
		pkg:         "./web/ussd", test: "TestPINOfTheSMS",
	},
	{
		name: "the new PIN is typed twice", file: "web/ussd/act.go",
		text:        `if d.mark(s, again) != s.Mark {`,
		replacement: `if false {`,
		pkg:         "./web/ussd", test: "TestPINOverDialogues",
	},
	{
		name: "a gateway that another process shut out is outside soon", file: "internal/gateway/gateway.go",
		text:        `if age := now.Sub(found.(known).read); age >= 0 && age < freshness {`,
		replacement: `if age := now.Sub(found.(known).read); age >= 0 {`,
		pkg:         "./internal/gateway", test: "TestShutOutElsewhere",
	},
	{
		name: "a gateway that was shut out stays outside", file: "internal/credential/keychain.go",
		text:        `if hash != "" && (lock.Disabled || !allows(lock.Allowed, from)) {`,
		replacement: `if hash != "" && !allows(lock.Allowed, from) {`,
		pkg:         "./internal/gateway", test: "TestGatewaysAtTheDoor",
	},
	{
		name: "a screen has 160 octets", file: "web/ussd/octets.go",
		text:        `func fits(text string) bool { return Octets(text) <= Most }`,
		replacement: `func fits(text string) bool { return Octets(text) <= Most+2 }`,
		pkg:         "./web/ussd", test: "TestWholeTree",
	},
	{
		name: "a wallet blocked meanwhile does nothing", file: "web/ussd/act.go",
		text:        `if err == nil && holder.Blocked {`,
		replacement: `if false {`,
		pkg:         "./web/ussd", test: "TestBlockedMeanwhile",
	},
	{
		name: "the offer accepted is the one that was shown", file: "web/ussd/act.go",
		text:        `OfferVersion: s.Offer,`,
		replacement: `OfferVersion: customer.OfferVersion,`,
		pkg:         "./web/ussd", test: "TestOfferThatWasShown",
	},
	{
		name: "a payment's quote tells *900# no balance", file: "internal/payment/quote.go",
		text:        `	if draft.Channel == USSD {`,
		replacement: `	if false {`,
		pkg:         "./web/ussd", test: "TestBalanceIsBehindThePIN",
	},
	{
		name: "a transfer's quote tells *900# no balance", file: "internal/wallet/quote.go",
		text:        `	if channel == USSD {`,
		replacement: `	if false {`,
		pkg:         "./web/ussd", test: "TestBalanceIsBehindThePIN",
	},
	{
		name: "who may have paid is not told to dial again", file: "web/ussd/door.go",
		text:        `key := "ussd.end.lost"`,
		replacement: `key := "ussd.end.expired"`,
		pkg:         "./web/ussd", test: "TestSessionsEnd",
	},
	{
		name: "a dialogue's keys take the pepper", file: "internal/ussdsession/dialogue.go",
		text:        `hkdf.Key(sha256.New, o.Secret, o.Pepper, "elsom dialogue", sha256.Size)`,
		replacement: `hkdf.Key(sha256.New, o.Secret, nil, "elsom dialogue", sha256.Size)`,
		pkg:         "./internal/ussdsession", test: "TestKeysTakeSecretAndPepper",
	},
	{
		name: "what another process answered is not recalled", file: "internal/ussdsession/dialogue.go",
		text: `	} else {
		ds.recent.forget(d.ID)
	}
	return won, fault.Wrap("dialogue.answer", err)`,
		replacement: `	}
	return won, fault.Wrap("dialogue.answer", err)`,
		pkg: "./internal/ussdsession", test: "TestRecalledDialogueYields",
	},
	{
		name: "who asks together holds rows of their own", file: "internal/database/gather.go",
		text: `	for i, key := range keys {
		if row, ok := byKey[key]; ok {`,
		replacement: `	var row R
	for i, key := range keys {
		var ok bool
		if row, ok = byKey[key]; ok {`,
		pkg: "./internal/database", test: "TestByKey",
	},
	{
		name: "plans go by indexes", file: "internal/database/postgres.go",
		text:        `"enable_seqscan": "off",`,
		replacement: ``,
		pkg:         "./internal/database", test: "TestPlansGoByIndexes",
	},
	{
		name: "who claimed a turn is not beaten within a statement", file: "internal/ussdsession/store.go",
		text:        `again = append(again, i)`,
		replacement: `_ = again`,
		pkg:         "./internal/ussdsession", test: "TestClaimWinsWithinAStatement",
	},
	{
		name: "a session's name that comes again is another dialogue", file: "internal/ussdsession/dialogue.go",
		text:        `ID: id, Turn: ds.db.NewID(), `,
		replacement: `ID: id, Turn: 1, `,
		pkg:         "./internal/ussdsession", test: "TestOldLifeIsNotTheNewOne",
	},
	{
		name: "who asks doesn't wait for a statement that hangs", file: "internal/database/gather.go",
		text:        `		another := time.AfterFunc(gatherStall, g.run)`,
		replacement: `		another := time.AfterFunc(gatherPatience, g.run)`,
		pkg:         "./internal/database", test: "TestGatherBesideOneThatHangs",
	},
	{
		name: "a panic is the failure of one batch", file: "internal/database/gather.go",
		text:        `if p := recover(); p != nil {`,
		replacement: `if p := any(nil); p != nil {`,
		pkg:         "./internal/database", test: "TestGatherSurvives",
	},
}
