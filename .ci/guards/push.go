package main

// pushGuards are the application's: what it keeps, and whom it tells.
var pushGuards = []guard{
	{
		name: "a notice goes to public addresses only", file: "internal/push/webpush/webpush.go",
		text:        `if err != nil || !public(place.Addr()) || place.Port() != 443 {`,
		replacement: `if err != nil || !place.IsValid() {`,
		pkg:         "./internal/push/webpush", test: "TestNoPrivateAddressIsCalled",
	},
	{
		name: "a private network is not public", file: "internal/push/webpush/webpush.go",
		text:        `if !a.IsGlobalUnicast() || a.IsPrivate() {`,
		replacement: `if !a.IsGlobalUnicast() {`,
		pkg:         "./internal/push/webpush", test: "TestPublic",
	},
	{
		name: "a push service leads nowhere else", file: "internal/push/webpush/webpush.go",
		text:        `return http.ErrUseLastResponse`,
		replacement: `return nil`,
		pkg:         "./internal/push/webpush", test: "TestAnswers",
	},
	{
		name: "a push address that is gone is told", file: "internal/push/webpush/webpush.go",
		text:        `status == http.StatusNotFound || status == http.StatusGone`,
		replacement: `status == http.StatusNotFound`,
		pkg:         "./internal/push/webpush", test: "TestAnswers",
	},
	{
		name: "a push address that is gone is dropped", file: "internal/push/push.go",
		text:        `_, err = n.delete(ctx, r.CustomerID, r.ID)`,
		replacement: `err = nil`,
		pkg:         "./internal/push", test: "TestGoneAddressIsDropped",
	},
	{
		name: "a push address is https", file: "internal/push/address.go",
		text:        `u.Scheme != "https" ||`,
		replacement: ``,
		pkg:         "./internal/push", test: "TestStrangeAddressesAreRefused",
	},
	{
		name: "a push address is bounded", file: "internal/push/address.go",
		text:        `len(a.Endpoint) > longestEndpoint ||`,
		replacement: ``,
		pkg:         "./internal/push", test: "TestStrangeAddressesAreRefused",
	},
	{
		name: "a push address names no machine by number", file: "internal/push/address.go",
		text:        `if _, err := netip.ParseAddr(host); err == nil || !strings`,
		replacement: `if _, err := netip.ParseAddr(host); err != nil && !strings`,
		pkg:         "./internal/push", test: "TestStrangeAddressesAreRefused",
	},
	{
		name: "one holder has so many browsers", file: "internal/push/store.go",
		text:        `ORDER BY made_at DESC, id DESC LIMIT ?)` + "`" + `,` + "\n\t\tr.CustomerID, r.CustomerID, devices)",
		replacement: `ORDER BY made_at DESC, id DESC LIMIT ?)` + "`" + `,` + "\n\t\tr.CustomerID, r.CustomerID, devices*devices)",
		pkg:         "./internal/push", test: "TestTheOldestBrowserMakesRoom",
	},
	{
		name: "a browser has one holder", file: "internal/push/store.go",
		text:        `WHERE id = ? AND customer_id = ?", id, customerID)`,
		replacement: `WHERE id = ? AND 0 <> ?", id, customerID)`,
		pkg:         "./internal/push", test: "TestEnd",
	},
	{
		name: "a new password ends the notices", file: "internal/push/store.go",
		text:        `WHERE customer_id = ? AND epoch = ? AND`,
		replacement: `WHERE customer_id = ? AND 0 <> ? AND`,
		pkg:         "./internal/push", test: "TestWhoseABrowserIs",
	},
	{
		name: "the key of notices is one", file: "internal/config/parse.go",
		text:        `checkVAPID(c.VAPIDKey, &problems)`,
		replacement: ``,
		pkg:         "./internal/config", test: "TestRefused",
	},
	{
		name: "a kept page is nobody's", file: "static/worker.js",
		text:        `{ credentials: "omit", cache: "reload" }`,
		replacement: `{ cache: "reload" }`,
		pkg:         "./cmd/elsom", test: "TestPayingDosTekInTheApplication",
	},
	{
		name: "an order is not sent twice by the worker", file: "static/worker.js",
		text:        `return Response.redirect(event.request.referrer, 303);`,
		replacement: `return fetch(event.request.url, { method: "POST" }).catch(() => Response.error());`,
		pkg:         "./cmd/elsom", test: "TestConnectionLostAtPaying",
	},
	{
		name: "an older worker takes along what it kept", file: "static/worker.js",
		text:        `if (name !== shell.name) await caches.delete(name);`,
		replacement: `void name;`,
		pkg:         "./cmd/elsom", test: "TestAnOlderWorkerGivesWay",
	},
	{
		name: "a button on a Kyrgyz Android is named as it stands", file: "internal/i18n/messages/app.ky.toml",
		text:        `«Колдонмону орнотуу» же`,
		replacement: `«Колдонмону орнотууну» же`,
		pkg:         "./internal/i18n", test: "TestButtonsAreNamedAsTheyStand",
	},
	{
		name: "a button on an iPhone is named as it stands", file: "internal/i18n/messages/app.ky.toml",
		text:        `«Поделиться» (бөлүшүү)`,
		replacement: `«Бөлүшүү»`,
		pkg:         "./internal/i18n", test: "TestButtonsAreNamedAsTheyStand",
	},
}
