package main

import "fmt"

// A plant is a generated file with one import or one call, to be checked by the
// import rules.
type plant struct {
	rule    string // its name in .golangci.yml, or a part of the expected report
	folder  string
	imports string
	// call is an expression that uses the import, for a rule about calls.
	call string
	// file is the file's name, for a rule that depends on it; empty: any name.
	file string
}

func (p plant) subject() string {
	if p.call != "" {
		return p.call
	}
	return p.imports
}

func (p plant) code() string {
	if p.call == "" {
		return fmt.Sprintf("import _ %q", p.imports)
	}
	return fmt.Sprintf("import %q\n\nvar _ = %s", p.imports, p.call)
}

// plants are the violations: at least one for each rule. Their imports form no
// cycle: the compiler would report it before the linter.
var plants = []plant{
	{rule: "r1-cmd", folder: "internal/audit", imports: "elsom/cmd/elsom/serve"},
	{rule: "r1-test-packages", folder: "internal/payment", imports: "elsom/internal/simulation"},
	{rule: "r1-test-packages", folder: "web/portal", imports: "elsom/internal/testkit/require"},
	{rule: "r1-test-packages", folder: "internal/catalog", imports: "elsom/internal/testkit"},
	{rule: "r1-test-packages", folder: "internal/phone", imports: "elsom/internal/e2e"},
	{rule: "r1-test-packages", folder: "internal/phone", imports: "elsom/internal/bench"},
	{rule: "r1-test-packages", folder: "internal/phone", imports: "elsom/internal/arch"},

	{rule: "r2-r3-page-handlers", folder: "web/portal", imports: "elsom/internal/ledger"},
	{rule: "r2-r3-page-handlers", folder: "web/portal", imports: "elsom/internal/database"},
	{rule: "r2-r3-page-handlers", folder: "web/portal", imports: "elsom/internal/biller/osmp"},
	{rule: "r2-r3-page-handlers", folder: "web/portal", imports: "elsom/web/terminal"},
	{rule: "r2-r3-page-handlers", folder: "web/portal", imports: "database/sql"},
	{rule: "r2-r3-page-handlers", folder: "web/office", imports: "elsom/internal/outbox"},
	{rule: "r2-r3-page-handlers", folder: "web/dev", imports: "elsom/web/portal"},
	{rule: "r2-r3-page-handlers", folder: "web/dev", imports: "elsom/internal/notify/sms/inbox"},
	{rule: "r2-machine-handlers", folder: "web/terminal", imports: "elsom/templates/layout"},
	{rule: "r2-basicauth", folder: "web/basicauth", imports: "elsom/internal/cashin"},
	{rule: "r2-machine-handlers", folder: "web/terminal", imports: "elsom/internal/ledger"},
	{rule: "r2-machine-handlers", folder: "web/ussd", imports: "elsom/templates/layout"},
	{rule: "r2-machine-handlers", folder: "web/smsreceipt", imports: "elsom/internal/notify/sms/kannel"},
	{rule: "r3-session", folder: "web/session", imports: "elsom/internal/payment"},
	{rule: "r3-session", folder: "web/session", imports: "elsom/templates/layout"},

	{rule: "r4-templates", folder: "templates/page", imports: "elsom/internal/fault"},
	{rule: "r4-templates", folder: "templates/page", imports: "elsom/internal/catalog"},
	{rule: "r4-templates", folder: "templates/page", imports: "github.com/labstack/echo/v4"},
	{rule: "r4-templates", folder: "templates/layout", imports: "elsom/internal/database"},

	{rule: "r5-money-services", folder: "internal/payment", imports: "net/http"},
	{rule: "r5-money-services", folder: "internal/payment", imports: "elsom/internal/biller/osmp"},
	{rule: "r5-money-services", folder: "internal/payment", imports: "elsom/templates/component"},
	{rule: "r5-money-services", folder: "internal/cashin", imports: "github.com/labstack/echo/v4"},
	{rule: "r5-money-services", folder: "internal/wallet", imports: "elsom/web/session"},
	{rule: "r5-money-services", folder: "internal/draft", imports: "net/http"},
	{rule: "r5-money-services", folder: "internal/transfer", imports: "github.com/labstack/echo/v4"},

	{rule: "r6-customer", folder: "internal/customer", imports: "elsom/internal/ledger"},
	{rule: "r6-customer", folder: "internal/customer", imports: "net/http"},
	{rule: "r6-stores", folder: "internal/catalog", imports: "elsom/internal/ledger"},
	{rule: "r6-stores", folder: "internal/ratelimit", imports: "elsom/internal/outbox"},
	{rule: "r6-stores", folder: "internal/ussdsession", imports: "elsom/internal/i18n"},
	{rule: "r6-stores", folder: "internal/securitylog", imports: "elsom/internal/customer"},
	{rule: "r6-credential", folder: "internal/credential", imports: "elsom/internal/ledger"},
	{rule: "r6-audit", folder: "internal/audit", imports: "elsom/internal/outbox"},
	{rule: "r10-checkpoint", folder: "internal/checkpoint", imports: "elsom/internal/database"},
	{rule: "r6-receipt", folder: "internal/receipt", imports: "elsom/internal/database"},
	{rule: "r6-translog", folder: "internal/translog", imports: "elsom/internal/ledger"},

	{rule: "r7-ledger", folder: "internal/ledger", imports: "elsom/internal/outbox"},
	{rule: "r7-ledger", folder: "internal/ledger", imports: "elsom/internal/i18n"},

	{rule: "r8-outbox", folder: "internal/outbox", imports: "elsom/internal/money"},
	{rule: "r8-operatorlog", folder: "internal/operatorlog", imports: "elsom/internal/outbox"},
	{rule: "r8-billerslot", folder: "internal/billerslot", imports: "elsom/internal/outbox"},
	{rule: "r8-database", folder: "internal/database", imports: "elsom/internal/money"},

	{rule: "r9-port-biller", folder: "internal/biller", imports: "elsom/internal/database"},
	{rule: "r9-port-biller", folder: "internal/biller", imports: "net/http"},
	{rule: "r9-port-messages", folder: "internal/notify/sms", imports: "elsom/internal/ledger"},
	{rule: "r9-port-messages", folder: "internal/notify/email", imports: "net/http"},
	{rule: "r9-port-messages", folder: "internal/notify/email", imports: "elsom/internal/payment"},
	{rule: "r9-adapters", folder: "internal/biller/osmp", imports: "elsom/internal/database"},
	{rule: "r9-adapters", folder: "internal/notify/sms/kannel", imports: "elsom/internal/ledger"},
	{rule: "r9-port-push", folder: "internal/notify/push", imports: "net/http"},
	{rule: "r9-port-push", folder: "internal/notify/push", imports: "elsom/internal/payment"},
	{rule: "r9-adapters", folder: "internal/notify/push/webpush", imports: "elsom/internal/database"},
	{rule: "r9-adapter-inbox", folder: "internal/notify/sms/inbox", imports: "elsom/internal/ledger"},

	{rule: "r6-origin", folder: "internal/origin", imports: "elsom/internal/ledger"},
	{rule: "r10-pdf", folder: "internal/pdf", imports: "elsom/internal/i18n"},
	{rule: "r10-signature", folder: "internal/signature", imports: "elsom/internal/database"},
	{rule: "r10-identifiers", folder: "internal/money", imports: "elsom/internal/fault"},
	{rule: "r10-identifiers", folder: "internal/inn", imports: "github.com/labstack/echo/v4"},
	{rule: "r10-values", folder: "internal/fault", imports: "golang.org/x/text/language"},
	{rule: "r10-values", folder: "migrations", imports: "github.com/pressly/goose/v3"},
	{rule: "r10-values", folder: "static", imports: "github.com/a-h/templ"},
	{rule: "r10-input", folder: "internal/input", imports: "elsom/internal/fault"},
	{rule: "r10-phone", folder: "internal/phone", imports: "github.com/labstack/echo/v4"},
	{rule: "r10-i18n", folder: "internal/i18n", imports: "elsom/internal/fault"},
	{rule: "r10-config", folder: "internal/config", imports: "elsom/internal/money"},
	{rule: "r10-server", folder: "web", imports: "elsom/internal/payment"},
	{rule: "r10-server", folder: "web", imports: "elsom/internal/database"},

	{rule: "r11-gorm-in-stores", folder: "internal/payment", imports: "gorm.io/gorm"},
	{rule: "r11-gorm-in-stores", folder: "cmd/elsom", imports: "gorm.io/gorm"},
	{rule: "r11-gorm-in-stores", folder: "internal/ledger", imports: "github.com/jackc/pgx/v5/pgconn", file: "restore.go"},
	{rule: "(R11)", folder: "internal/payment", imports: "os", call: "os.Getenv"},
	{rule: "(R11)", folder: "web/portal", imports: "time", call: "time.Now"},
	{rule: "(R11)", folder: "internal/catalog", imports: "gorm.io/gorm", call: "(*gorm.DB).AutoMigrate", file: "store_tables.go"},
}

// allowed are imports next to the forbidden ones that must pass: a rule that
// refuses everything would otherwise look as if it worked.
var allowed = []plant{
	{folder: "web/portal", imports: "elsom/internal/payment"},
	{folder: "web/portal", imports: "elsom/templates/page"},
	{folder: "web/terminal", imports: "elsom/internal/cashin"},
	{folder: "web/session", imports: "elsom/internal/database"},
	{folder: "web/session", imports: "gorm.io/gorm", file: "store.go"},
	{folder: "web", imports: "elsom/web/portal"},
	{folder: "templates/page", imports: "elsom/templates/layout"},
	{folder: "internal/payment", imports: "elsom/internal/ledger"},
	{folder: "internal/payment", imports: "gorm.io/gorm", file: "store_draft.go"},
	{folder: "internal/ledger", imports: "elsom/internal/database"},
	{folder: "internal/database", imports: "gorm.io/gorm"},
	{folder: "internal/database", imports: "elsom/migrations"},
	{folder: "internal/database", imports: "time", call: "time.Now"},
	{folder: "internal/config", imports: "os", call: "os.Getenv"},
	{folder: "internal/phone", imports: "github.com/nyaruka/phonenumbers"},
	{folder: "cmd/elsom", imports: "elsom/internal/ledger"},
	{folder: "cmd/elsom", imports: "time", call: "time.Now"},
}
