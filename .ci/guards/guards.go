package main

import "slices"

// guards is the list. To add one: what it keeps from happening, its file, the
// exact text (once in the file), what stands there without it (it must still
// build), and the package and test that must fail then.
var guards = slices.Concat(smallGuards, booksGuards, paymentGuards, webGuards, customerGuards, deliveryGuards, cashinGuards, proofGuards, transferGuards, pushGuards, ussdGuards, smsGuards, pinGuards, keepingGuards, simulationGuards, overloadGuards, limitGuards, postgresGuards)

var smallGuards = []guard{
	// Amounts and identifiers.
	{
		name: "a negative amount is refused", file: "internal/money/money.go",
		text:        `return 0, ErrNegative`,
		replacement: `return unsigned(rest)`,
		pkg:         "./internal/money", test: "TestParse",
	},
	{
		name: "two amounts are not one", file: "internal/money/money.go",
		text:        `		if len(group) != size {`,
		replacement: `		if len(group) == 0 {`,
		pkg:         "./internal/money", test: "TestParseReadsOneAmount",
	},
	{
		name: "two cells are not one amount", file: "internal/money/money.go",
		text:        `len(s) > maxLength, strings.Contains(strings.TrimSpace(text), "\t"):`,
		replacement: `len(s) > maxLength:`,
		pkg:         "./internal/money", test: "TestParseReadsOneAmount",
	},
	{
		name: "a third decimal is not cut off", file: "internal/money/money.go",
		text:        `if len(frac) > 2 {`,
		replacement: `if frac = frac[:min(2, len(frac))]; false {`,
		pkg:         "./internal/money", test: "TestParse",
	},
	{
		name: "a sum never overflows silently", file: "internal/money/money.go",
		text:        `if (b > 0 && a > math.MaxInt64-b) || (b < 0 && a < math.MinInt64-b) {`,
		replacement: `if false && a > math.MaxInt64 {`,
		pkg:         "./internal/money", test: "TestAdd",
	},
	{
		name: "a landline is no wallet", file: "internal/phone/phone.go",
		text:        `return "", ErrLandline`,
		replacement: `return Number("+996" + national), nil`,
		pkg:         "./internal/phone", test: "TestParse",
	},
	{
		name: "a number stays out of the logs", file: "internal/phone/phone.go",
		text:        `slog.StringValue("•••")`,
		replacement: `slog.StringValue(string(n))`,
		pkg:         "./internal/phone", test: "TestStaysOutOfLogs",
	},
	{
		name: "an ИНН has 14 digits", file: "internal/inn/inn.go",
		text:        `case Length:`,
		replacement: `default:`,
		pkg:         "./internal/inn", test: "TestParse",
	},
	// Builds.
	{
		name: "the version is printed", file: "cmd/elsom/main.go",
		text:        `kong.Vars{"version": version()},`,
		replacement: `kong.Vars{"version": ""},`,
		pkg:         "./cmd/elsom", test: "TestVersion",
	},
	{
		name: "invisible characters are removed", file: "internal/input/input.go",
		text:        `	case unicode.Is(unicode.Cf, r), unicode.Is(unicode.Variation_Selector, r), r == '\u034f', strings.ContainsRune(blanks, r):`,
		replacement: `	case r == '\u034f', strings.ContainsRune(blanks, r):`,
		pkg:         "./web", test: "TestPastedValuesAreRead",
	},
	{
		name: "a word of a name has one script", file: "internal/customer/ussd.go",
		text:        `if !isName(word) || !input.OneScript(word) {`,
		replacement: `if !isName(word) || (false && !input.OneScript(word)) {`,
		pkg:         "./internal/customer", test: "TestCheckName",
	},
	// Errors and configuration.
	{
		name: "a bad field never hides an unforeseen error", file: "internal/fault/fault.go",
		text:        `if f.Kind == Internal {`,
		replacement: `if false {`,
		pkg:         "./internal/fault", test: "TestWorstKindOfSeveralIsNotHidden",
	},
	{
		name: "development stays on loopback", file: "internal/config/parse.go",
		text:        `if mode == Development && !loopback(host) {`,
		replacement: `if mode == Development && host == "none" {`,
		pkg:         "./internal/config", test: "TestRefused",
	},
	{
		name: "production refuses development's secret", file: "internal/config/secret.go",
		text:        `refuseKnown("ELSOM_SECRET_KEY", c.SecretKey, problems)`,
		replacement: ``,
		pkg:         "./internal/config", test: "TestRefused",
	},
	{
		name: "production keeps its rate limits", file: "internal/config/parse.go",
		text: `if c.Mode != Development {
			problems.add("ELSOM_RATE_LIMITS"`,
		replacement: `if false {
			problems.add("ELSOM_RATE_LIMITS"`,
		pkg: "./internal/config", test: "TestRefused",
	},
	// The catalog.
	{
		name: "of concurrent imports only one is applied", file: "internal/catalog/store.go",
		text:        `WHERE id = 1 AND version = ?", from)`,
		replacement: `WHERE id = 1 AND ? = ?", from, from)`,
		pkg:         "./internal/catalog", test: "TestStaleFilesAreRefused/sqlite",
	},
	{
		name: "an import of another version is refused", file: "internal/catalog/change.go",
		text:        `if to.Version != from.Version {`,
		replacement: `if false {`,
		pkg:         "./internal/catalog", test: "TestStaleFilesAreRefused/sqlite",
	},
	{
		name: "a list is not emptied by mistake", file: "internal/catalog/change.go",
		text:        `len(lists) > 0 && !allowed {`,
		replacement: `len(lists) > 100 && !allowed {`,
		pkg:         "./internal/catalog", test: "TestEmptiedListsAreRefused/sqlite",
	},
	{
		name: "a refused change is not applied", file: "internal/catalog/change.go",
		text:        `case change.Refused != nil:`,
		replacement: `case false:`,
		pkg:         "./internal/catalog", test: "TestEmptiedListsAreRefused/sqlite",
	},
	{
		name: "the catalog of an older release is stored before its replacement", file: "internal/catalog/store.go",
		text:        `if change.from.Version > 0 {`,
		replacement: `if false {`,
		pkg:         "./internal/catalog", test: "TestVersionOfAnOlderRelease/sqlite",
	},
	{
		name: "another key than the database's is refused", file: "cmd/elsom/house.go",
		text:        `if err := keycheck.Verify(ctx, db, serverKeys(cfg)...); err != nil {`,
		replacement: `if err := keycheck.Verify(ctx, db); err != nil {`,
		pkg:         "./cmd/elsom", test: "TestKeysOfAnotherDatabase/sqlite",
	},
	{
		name: "the keys of the first start are recorded", file: "cmd/elsom/serve.go",
		text:        `keycheck.Record(ctx, h.db, serverKeys(h.config)...)`,
		replacement: `keycheck.Verify(ctx, h.db, serverKeys(h.config)...)`,
		pkg:         "./cmd/elsom", test: "TestTwoKeysOnAnEmptyDatabase/sqlite",
	},
	{
		name: "a check value is of its key", file: "internal/keycheck/keycheck.go",
		text:        `mac := hmac.New(sha256.New, k.Value)`,
		replacement: `mac := hmac.New(sha256.New, nil)`,
		pkg:         "./internal/keycheck", test: "TestOtherKeysAreRefused",
	},
	{
		name: "the last key of a name is in force", file: "internal/keycheck/store.go",
		text:        `.Order("id")`,
		replacement: `.Order("id DESC")`,
		pkg:         "./internal/keycheck", test: "TestLastKeyIsInForce",
	},
	{
		name: "a mistyped variable is refused", file: "internal/config/names.go",
		text:        `meant != "" && environment[name] != ""`,
		replacement: `meant == "none"`,
		pkg:         "./internal/config", test: "TestMistypedNames",
	},
	{
		name: "a mistyped name of the database variable is refused", file: "internal/config/parse.go",
		text:        `checkNames(environment, []string{mode, url, url + fileSuffix}, &problems)`,
		replacement: `_ = mode`,
		pkg:         "./internal/config", test: "TestDatabaseAlone",
	},
	{
		name: "production requires a database address", file: "internal/config/parse.go",
		text:        `case in.Mode == string(Development):`,
		replacement: `case true:`,
		pkg:         "./internal/config", test: "TestRefused",
	},
	{
		name: "https without a proxy is refused", file: "internal/config/proxies.go",
		text:        `if c.HTTPS() && len(c.TrustedProxies) == 0 {`,
		replacement: `if false {`,
		pkg:         "./internal/config", test: "TestRefusedAddresses",
	},
	{
		name: "a huge trusted network is refused", file: "internal/config/proxies.go",
		text:        `const largest4, largest6 = 8, 16`,
		replacement: `const largest4, largest6 = 1, 1`,
		pkg:         "./internal/config", test: "TestRefusedAddresses",
	},
	{
		name: "many trusted networks that are huge together are refused", file: "internal/config/proxies.go",
		text:        `return share >= 0.5`,
		replacement: `return share > 1`,
		pkg:         "./internal/config", test: "TestRefusedAddresses",
	},
	{
		name: "a secret file that others can read is refused", file: "internal/config/parse.go",
		text:        `const others = 0o006`,
		replacement: `const others = 0`,
		pkg:         "./internal/config", test: "TestSecretFilesOfOthers",
	},
	{
		name: "an address in the wrong variable is not printed", file: "internal/config/parse.go",
		text:        `if len(value) > longest || strings.Contains(value, "@") {`,
		replacement: `if len(value) > 1000 {`,
		pkg:         "./internal/config", test: "TestSecretsAreNeverPrinted",
	},
	{
		name: "an SMS gateway without a password is refused at the start", file: "internal/config/addresses.go",
		text:        `at.User.Username() == "" || password == "" {`,
		replacement: `at.Host == password {`,
		pkg:         "./internal/config", test: "TestRefusedAddresses",
	},
	{
		name: "clear text to another machine is warned of", file: "internal/config/warnings.go",
		text:        `if InClear(address.Reveal()) {`,
		replacement: `if false {`,
		pkg:         "./internal/config", test: "TestWarnings",
	},
	{
		name: "a biller of the catalog in clear text is warned of", file: "cmd/elsom/serve.go",
		text:        `config.InClear(b.URL):`,
		replacement: `false:`,
		pkg:         "./cmd/elsom", test: "TestServeWarns",
	},
	{
		name: "a secret is never printed", file: "internal/config/secret.go",
		text:        `func (s Secret) Format(state fmt.State, _ rune) { _, _ = io.WriteString(state, s.String()) }`,
		replacement: `var _ = fmt.Sprint(io.EOF)`,
		pkg:         "./internal/config", test: "TestSecretsAreNeverPrinted",
	},
}
