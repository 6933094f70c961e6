package main

var doorGuards = []guard{
	{
		name: "a session ends by itself", file: "web/session/store.go",
		text:        `if now.Sub(f.Row.SeenAt) > Idle || now.After(f.Row.EndsAt) {`,
		replacement: `if now.After(f.Row.EndsAt) {`,
		pkg:         "./web/session", test: "TestIdleAndAbsoluteEnd",
	},
	{
		name: "five tries for an SMS code", file: "internal/customer/store_confirmation.go",
		text:        `AND used_at IS NULL AND expires_at > ? AND tries < ?`,
		replacement: `AND used_at IS NULL AND expires_at > ? AND tries < ? + 100`,
		pkg:         "./internal/customer", test: "TestCodeHasFiveTries",
	},
	{
		name: "private pages are kept nowhere", file: "web/headers.go",
		text:        `c.Response().Header().Set(echo.HeaderCacheControl, "no-store")`,
		replacement: `_ = echo.HeaderCacheControl`,
		pkg:         "./web", test: "TestHeadersOfEveryAnswer",
	},
}
