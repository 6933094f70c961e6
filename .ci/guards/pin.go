package main

var pinGuards = []guard{
	{
		name: "a locked PIN is not tried", file: "internal/customer/store_pin.go",
		text:        `WHERE customer_id = ? AND (locked_until IS NULL OR locked_until <= ?)`,
		replacement: `WHERE customer_id = ? AND (locked_until IS NULL OR set_at <= ?)`,
		pkg:         "./internal/customer", test: "TestPINHasFiveTriesOverAllChannels",
	},
	{
		name: "a PIN's first lock is half an hour", file: "internal/customer/store_pin.go",
		text:        `pinTries-1, now.Add(PINFirstLock)`,
		replacement: `pinTries-1, now.Add(PINNextLock)`,
		pkg:         "./internal/customer", test: "TestPINLocksGrow",
	},
	{
		name: "a PIN's next lock is a day", file: "internal/customer/store_pin.go",
		text:        `pinTries-1, now.Add(PINNextLock)`,
		replacement: `pinTries-1, now.Add(PINFirstLock)`,
		pkg:         "./internal/customer", test: "TestPINLocksGrow",
	},
	{
		name: "a try that compared no PIN is given back", file: "internal/customer/pin.go",
		text:        `return nil, errors.Join(err, cs.uncountPIN(context.WithoutCancel(ctx), id))`,
		replacement: `return nil, err`,
		pkg:         "./internal/customer", test: "TestOnlyComparedPINsCount",
	},
	{
		name: "a PIN from an SMS confirms one payment", file: "internal/customer/store_pin.go",
		text:        `AND pin_hash = ? AND (used_for = '' OR used_for = ?)`,
		replacement: `AND pin_hash = ? AND (issued OR used_for = ?)`,
		pkg:         "./internal/customer", test: "TestIssuedPINConfirmsOnce",
	},
	{
		name: "a used PIN shows no balance", file: "internal/customer/pin.go",
		text:        `if !fresh {`,
		replacement: `if !fresh && to.key != "" {`,
		pkg:         "./internal/customer", test: "TestIssuedPINConfirmsOnce",
	},
	{
		name: "a PIN is not the number's last digits", file: "internal/customer/pin_set.go",
		text:        `case strings.HasSuffix(number.String(), pin):`,
		replacement: `case strings.HasSuffix(number.National()[:4], pin):`,
		pkg:         "./internal/customer", test: "TestWeakPINs",
	},
	{
		name: "a PIN is not the holder's birthday", file: "internal/customer/pin_set.go",
		text:        `return dated && (pin ==`,
		replacement: `return !dated && (pin ==`,
		pkg:         "./internal/customer", test: "TestWeakPINs",
	},
	{
		name: "a PIN is hashed with the pepper", file: "internal/customer/pin.go",
		text:        `hmac.New(sha256.New, cs.o.PINPepper)`,
		replacement: `hmac.New(sha256.New, cs.key)`,
		pkg:         "./internal/customer", test: "TestPINIsPeppered",
	},
	{
		name: "a PIN that is there is not set over", file: "internal/customer/store_pin.go",
		text:        `ON CONFLICT (customer_id) DO NOTHING`,
		replacement: `ON CONFLICT (customer_id) DO UPDATE SET pin_hash = excluded.pin_hash`,
		pkg:         "./internal/customer", test: "TestPINIsSetOnce",
	},
	{
		name: "two changes of a PIN at once are one", file: "internal/customer/store_pin.go",
		text:        `WHERE customer_id = ? AND pin_hash = ?` + "`, hash, pinVersion, issued",
		replacement: `WHERE customer_id = ? AND pin_hash <> ?` + "`, hash, pinVersion, issued",
		pkg:         "./internal/customer", test: "TestPINChangesAtOnce",
	},
	{
		name: "a PIN rests sealed in its promise", file: "internal/customer/pin_set.go",
		text:        `return cs.o.Sealer.Promise(fmt.Sprintf("customer:pin_issued`,
		replacement: `return sms.Promise(fmt.Sprintf("customer:pin_issued`,
		pkg:         "./internal/customer", test: "TestRegisterByUSSD",
	},
	{
		name: "a PIN is sent again three times a day, whatever is switched off", file: "internal/customer/pin_set.go",
		text:        `Name: "PIN sent again", Limit: 3, Window: 24 * time.Hour, Always: true`,
		replacement: `Name: "PIN sent again", Limit: 3, Window: 24 * time.Hour`,
		pkg:         "./internal/customer", test: "TestPINsAreAlwaysCounted",
	},
	{
		name: "another PIN lifts no lock", file: "internal/customer/pin_set.go",
		text:        `case row.LockedUntil != nil && row.LockedUntil.After(cs.o.Now()):`,
		replacement: `case row.LockedUntil != nil && row.LockedUntil.IsZero():`,
		pkg:         "./internal/customer", test: "TestLockedPINIsNotSentAgain",
	},
	{
		name: "SMS codes give a PIN's tries back three times a day", file: "internal/customer/unlock.go",
		text:        `Limit: 3, Window: 24 * time.Hour, Always: true`,
		replacement: `Limit: 3, Window: 24 * time.Hour`,
		pkg:         "./internal/customer", test: "TestPINsAreAlwaysCounted",
	},
	{
		name: "a PIN is opened by who knows the password", file: "internal/customer/unlock.go",
		text:        `if err == nil && !right {`,
		replacement: `if err == nil && !right && password == "" {`,
		pkg:         "./internal/customer", test: "TestUnlock",
	},
	{
		name: "a PIN that was opened by SMS locks for as long as before", file: "internal/customer/unlock.go",
		text:        `giveTries(tx, id, false)`,
		replacement: `giveTries(tx, id, true)`,
		pkg:         "./internal/customer", test: "TestUnlock",
	},
	{
		name: "a code opens its own number's PIN", file: "internal/customer/unlock.go",
		text:        `holder.Phone != row.Phone`,
		replacement: `holder.Phone == ""`,
		pkg:         "./internal/customer", test: "TestUnlockIsTheHolders",
	},
	{
		name: "after a reset the site asks the PIN", file: "internal/customer/store.go",
		text: `session_epoch = session_epoch + 1,
			reset_at = ?, pin_owed = has_pin, hold_until`,
		replacement: `session_epoch = session_epoch + 1,
			reset_at = ?, pin_owed = FALSE, hold_until`,
		pkg: "./internal/customer", test: "TestResetOwesThePIN",
	},
	{
		name: "a wallet of *900# owes the site its PIN", file: "internal/customer/store.go",
		text:        `session_epoch = session_epoch + 1, pin_owed = has_pin,`,
		replacement: `session_epoch = session_epoch + 1, pin_owed = FALSE,`,
		pkg:         "./internal/customer", test: "TestSignupFindsTheWalletOfUSSD",
	},
	{
		name: "a payment on the site waits for the PIN", file: "internal/payment/accept.go",
		text:        `if draft.Channel != USSD {`,
		replacement: `if draft.Channel == USSD {`,
		pkg:         "./web", test: "TestOneWalletForAllChannels",
	},
	{
		name: "initials and pictures are no name", file: "internal/customer/ussd.go",
		text:        `return letters >= 2 && !joined`,
		replacement: `return letters >= 1 && !joined`,
		pkg:         "./internal/customer", test: "TestCheckName",
	},
	{
		name: "the same edition of the offer is accepted that is in force", file: "internal/customer/ussd.go",
		text:        `if s.OfferVersion != OfferVersion {`,
		replacement: `if s.OfferVersion == "" {`,
		pkg:         "./internal/customer", test: "TestRegisterByUSSDRefuses",
	},
	{
		name: "a try of a PIN is counted before it is compared", file: "internal/customer/store_pin.go",
		text:        `tries = CASE WHEN tries >= ? THEN 1 ELSE tries + 1 END,`,
		replacement: `tries = CASE WHEN tries >= ? THEN 1 ELSE tries END,`,
		pkg:         "./internal/customer", test: "TestPINHasFiveTriesOverAllChannels",
	},
	{
		name: "the fifth wrong PIN locks", file: "internal/customer/store_pin.go",
		text:        `locked_until = CASE WHEN tries = ? AND locks = 0 THEN ? WHEN tries = ? THEN ? ELSE locked_until END`,
		replacement: `locked_until = CASE WHEN tries = ? AND locks < 0 THEN ? WHEN tries = ? - 100 THEN ? ELSE locked_until END`,
		pkg:         "./internal/customer", test: "TestPINLocksGrow",
	},
	{
		name: "weak PINs are refused", file: "internal/customer/pin_set.go",
		text:        `if weakPIN(pin, phone.Number(holder.Phone), inn.INN(holder.INN)) {`,
		replacement: `if weakPIN(pin, phone.Number(holder.Phone), inn.INN(holder.INN)) && false {`,
		pkg:         "./internal/customer", test: "TestPINIsSetOnce",
	},
	{
		name: "a PIN is sent again three times a day", file: "internal/customer/pin_set.go",
		text:        `if err := cs.o.Attempts.Take(ctx, pinResend, fmt.Sprint(id)); err != nil {`,
		replacement: `if err := error(nil); err != nil {`,
		pkg:         "./internal/customer", test: "TestPINIsSentAgain",
	},
	{
		name: "a PIN is opened by SMS three times a day", file: "internal/customer/unlock.go",
		text:        `if err := cs.o.Attempts.Take(ctx, pinUnlock, strconv.FormatInt(id, 10)); err != nil {`,
		replacement: `if err := error(nil); err != nil {`,
		pkg:         "./internal/customer", test: "TestUnlock",
	},
	{
		name: "a SIM card alone opens no PIN", file: "internal/customer/unlock.go",
		text:        "	if cs.staffOnly(holder) {",
		replacement: "	if false {",
		pkg:         "./internal/customer", test: "TestUnlockIsForStaffAfterAReset",
	},
	{
		name: "no PIN is opened by SMS a day after a reset", file: "internal/customer/unlock.go",
		text:        `return holder.PINOwed || (holder.ResetAt != nil &&`,
		replacement: `return holder.PINOwed || (holder.ResetAt == nil &&`,
		pkg:         "./internal/customer", test: "TestUnlockIsForStaffAfterAReset",
	},
	{
		name: "no PIN is opened by SMS while it is owed", file: "internal/customer/unlock.go",
		text:        `return holder.PINOwed || (`,
		replacement: `return (`,
		pkg:         "./internal/customer", test: "TestUnlockIsForStaffAfterAReset",
	},
	{
		name: "a reset takes the unlock code's use away", file: "internal/customer/unlock.go",
		text:        `holder.Phone != row.Phone || cs.staffOnly(holder) {`,
		replacement: `holder.Phone != row.Phone {`,
		pkg:         "./internal/customer", test: "TestUnlockIsForStaffAfterAReset",
	},
	{
		name: "changes of a PIN are counted", file: "internal/customer/pin_set.go",
		text: `	if err := cs.takeChange(ctx, row.CustomerID); err != nil {
		return err
	}
`,
		replacement: ``,
		pkg:         "./internal/customer", test: "TestPINChangesAreCounted",
	},
	{
		name: "changes of a PIN are counted, whatever is switched off", file: "internal/customer/pin_set.go",
		text:        `Name: "PIN changed", Limit: 5, Window: time.Hour, Always: true`,
		replacement: `Name: "PIN changed", Limit: 5, Window: time.Hour`,
		pkg:         "./internal/customer", test: "TestPINsAreAlwaysCounted",
	},
	{
		name: "first PINs are counted", file: "internal/customer/pin_set.go",
		text: `	if err := cs.takeChange(ctx, id); err != nil {
		return err
	}
`,
		replacement: ``,
		pkg:         "./internal/customer", test: "TestPINChangesAreCounted",
	},
	{
		name: "a second first PIN is refused before it is hashed", file: "internal/customer/pin_set.go",
		text:        `	if holder.HasPIN {`,
		replacement: `	if false {`,
		pkg:         "./internal/customer", test: "TestPINIsSetOnce",
	},
	{
		name: "the first PIN wants the password", file: "internal/customer/pin_set.go",
		text: `	if err := cs.provePassword(ctx, act, holder, password); err != nil {
		return err
	}
`,
		replacement: ``,
		pkg:         "./internal/customer", test: "TestPINIsSetOnce",
	},
	{
		name: "a session that a reset ended pays no debt of a PIN", file: "internal/customer/store_pin.go",
		text:        `WHERE id = ? AND session_epoch = ? AND pin_owed`,
		replacement: `WHERE id = ? AND 0 <> ? AND pin_owed`,
		pkg:         "./internal/customer", test: "TestResetOwesThePIN",
	},
	{
		name: "staff give name and reason", file: "internal/customer/staff.go",
		text:        `if w.Staff == "" || w.Reason == "" ||`,
		replacement: `if`,
		pkg:         "./internal/customer", test: "TestStaffActsAreKept",
	},
	{
		name: "staff's unlocking is kept", file: "internal/customer/staff.go",
		text:        `return insertStaffAct(tx, id, "unlock", by)`,
		replacement: `return nil`,
		pkg:         "./internal/customer", test: "TestStaffActsAreKept",
	},
	{
		name: "staff's new PIN is kept", file: "internal/customer/staff.go",
		text:        `return insertStaffAct(tx, id, "pin", by)`,
		replacement: `return nil`,
		pkg:         "./internal/customer", test: "TestStaffActsAreKept",
	},
	{
		name: "nothing erased: staff's acts on PostgreSQL", file: "migrations/00017_staff_acts.postgres.sql",
		text:        `BEFORE UPDATE OR DELETE ON staff_acts`,
		replacement: `BEFORE DELETE ON staff_acts`,
		pkg:         "./internal/customer", test: "TestStaffActsAreKept",
	},
	{
		name: "nothing erased: staff's acts on SQLite", file: "migrations/00017_staff_acts.sqlite.sql",
		text:        `BEFORE DELETE ON staff_acts`,
		replacement: `BEFORE DELETE ON promises`,
		pkg:         "./internal/customer", test: "TestStaffActsAreKept",
	},
	{
		name: "a wallet held meanwhile pays nothing", file: "internal/limit/spending.go",
		text:        `return customer.HeldFromPaying(now, at)`,
		replacement: `return customer.HeldFromPaying(before, at)`,
		pkg:         "./internal/payment", test: "TestChangedSinceTheRequestBegan",
	},
}
