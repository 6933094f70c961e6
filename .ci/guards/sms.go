package main

var smsGuards = []guard{
	{
		name: "a message is written down before the gateway is called", file: "internal/notify/sms/worker.go",
		text:        `return note(tx, calls)`,
		replacement: `_ = note; return nil`,
		pkg:         "./internal/notify/sms", test: "TestALostAnswerIsTriedAgainAfterTwoMinutes",
	},
	{
		name: "a call that nobody saw the end of is waited for", file: "internal/notify/sms/worker.go",
		text:        `left > 0 {`,
		replacement: `left > repeatAfter {`,
		pkg:         "./internal/notify/sms", test: "TestADeathInTheCallIsALostAnswer",
	},
	{
		name: "an error that tells nothing is a lost answer", file: "internal/notify/sms/worker.go",
		text:        `return unknown(repeatAfter).Because(err)`,
		replacement: `return fault.New(fault.Unavailable, "sms.send", "").Because(err)`,
		pkg:         "./internal/notify/sms", test: "TestAnyOtherErrorIsALostAnswer",
	},
	{
		name: "a receipt saves a repeat", file: "internal/notify/sms/worker.go",
		text: `	if r.State != Queued {
		return false, nil
	}`,
		replacement: ``,
		pkg:         "./internal/notify/sms", test: "TestAReceiptSavesARepeat",
	},
	{
		name: "a code is not repeated", file: "internal/notify/sms/worker.go",
		text: `		if a.words.Sealed != nil {
			return false, final(errLost)
		}`,
		replacement: `		_ = errLost`,
		pkg:         "./internal/notify/sms", test: "TestCodesAreNotRepeated",
	},
	{
		name: "a state never goes back", file: "internal/notify/sms/store.go",
		text:        "		return tx.Gorm().Exec(`UPDATE messages SET state = ?, sent_at = COALESCE(sent_at, ?), ended_at = ?\n			WHERE id = ? AND state IN (?, ?)`, to, tx.Now(), tx.Now(), id, Queued, Sent).Error",
		replacement: "		return tx.Gorm().Exec(`UPDATE messages SET state = ?, sent_at = COALESCE(sent_at, ?), ended_at = ?\n			WHERE id = ?`, to, tx.Now(), tx.Now(), id).Error",
		pkg:         "./internal/notify/sms", test: "TestStates",
	},
	{
		name: "a receipt proves which message it is about", file: "internal/notify/sms/messages.go",
		text:        ` || !hmac.Equal(s.mac(text[:8]), text[8:])`,
		replacement: ``,
		pkg:         "./internal/notify/sms", test: "TestTokens",
	},
	{
		name: "a code is masked where it is read again", file: "internal/notify/sms/worker.go",
		text:        `render(w.Lang, w.Key, masked(args))`,
		replacement: `render(w.Lang, w.Key, args)`,
		pkg:         "./internal/notify/sms", test: "TestList",
	},
	{
		name: "messages are listed to their own reader", file: "internal/notify/sms/store.go",
		text:        `WHERE phone = ? AND id < ?`,
		replacement: `WHERE phone >= ? AND id < ?`,
		pkg:         "./web", test: "TestMessages",
	},
	{
		name: "only a known gateway brings receipts", file: "web/smsreceipt/sms.go",
		text: `	if answered {
		return err
	}
	if err == nil {
		err = d.receive(ctx, c)
	}`,
		replacement: `	err = d.receive(ctx, c)
	_ = answered`,
		pkg: "./web/smsreceipt", test: "TestStrangers",
	},
	{
		name: "no text stands in an address", file: "internal/notify/sms/kannel/kannel.go",
		text:        `http.MethodPost, c.address.String(), strings`,
		replacement: `http.MethodPost, c.address.String()+"?text="+url.QueryEscape(r.Text), strings`,
		pkg:         "./internal/notify/sms/kannel", test: "TestSend",
	},
	{
		name: "an answer that was cut off leaves it open", file: "internal/notify/sms/kannel/kannel.go",
		text:        `if neverConnected(err) {`,
		replacement: `if _ = neverConnected; true {`,
		pkg:         "./internal/notify/sms/kannel", test: "TestNoAnswer",
	},
	{
		name: "an input over Kannel is known by its id", file: "web/ussd/kannel.go",
		text:        `ID: query.Get("id"), Text`,
		replacement: `ID: query.Get("id")+strconv.FormatInt(time.Now().UnixNano(), 10), Text`,
		pkg:         "./web/ussd", test: "TestKannelPaysOnce",
	},
	{
		name: "Kannel is never left to its own words", file: "web/ussd/kannel.go",
		text:        `return c.NoContent(http.StatusOK)`,
		replacement: `return c.NoContent(http.StatusBadRequest)`,
		pkg:         "./web/ussd", test: "TestKannelsNonsense",
	},
}
