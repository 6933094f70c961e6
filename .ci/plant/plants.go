package main

import "fmt"

// A plant is a file in a room that imports a package or holds a statement.
type plant struct {
	rule    string // its name in .golangci.yml, or the words of its report
	room    string
	imports string
	// call is a statement on the import, where the rule is about a call.
	call string
	// file is the file's name where it matters.
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

// plants are the violations: at least one for each rule. Their imports make
// no circle, which the compiler would report before the linter.
var plants = []plant{
	{rule: "r1-nobody-imports-cmd", room: "internal/audit", imports: "elsom/cmd/elsom/serve"},
	{rule: "r1-nobody-imports-simulation", room: "internal/payment", imports: "elsom/internal/simulation"},

	{rule: "r2-r3-doors-with-pages", room: "web/portal", imports: "elsom/internal/ledger"},
	{rule: "r2-r3-doors-with-pages", room: "web/portal", imports: "elsom/internal/database"},
	{rule: "r2-r3-doors-with-pages", room: "web/portal", imports: "elsom/internal/biller/osmp"},
	{rule: "r2-r3-doors-with-pages", room: "web/portal", imports: "elsom/web/terminal"},
	{rule: "r2-r3-doors-with-pages", room: "web/portal", imports: "database/sql"},
	{rule: "r2-r3-doors-with-pages", room: "web/office", imports: "elsom/internal/outbox"},
	{rule: "r2-r3-doors-with-pages", room: "web/dev", imports: "elsom/web/portal"},
	{rule: "r2-r3-doors-with-pages", room: "web/dev", imports: "elsom/internal/notify/sms/inbox"},
	{rule: "r2-doors-for-machines", room: "web/terminal", imports: "elsom/templates/layout"},
	{rule: "r2-admission", room: "web/basicauth", imports: "elsom/internal/cashin"},
	{rule: "r2-doors-for-machines", room: "web/terminal", imports: "elsom/internal/ledger"},
	{rule: "r2-doors-for-machines", room: "web/ussd", imports: "elsom/templates/layout"},
	{rule: "r2-doors-for-machines", room: "web/smsreceipt", imports: "elsom/internal/notify/sms/kannel"},
	{rule: "r3-session", room: "web/session", imports: "elsom/internal/payment"},
	{rule: "r3-session", room: "web/session", imports: "elsom/templates/layout"},

	{rule: "r4-templates", room: "templates/page", imports: "elsom/internal/fault"},
	{rule: "r4-templates", room: "templates/page", imports: "elsom/internal/catalog"},
	{rule: "r4-templates", room: "templates/page", imports: "github.com/labstack/echo/v4"},
	{rule: "r4-templates", room: "templates/layout", imports: "elsom/internal/database"},

	{rule: "r5-acts-that-move-money", room: "internal/payment", imports: "net/http"},
	{rule: "r5-acts-that-move-money", room: "internal/payment", imports: "elsom/internal/biller/osmp"},
	{rule: "r5-acts-that-move-money", room: "internal/payment", imports: "elsom/templates/component"},
	{rule: "r5-acts-that-move-money", room: "internal/cashin", imports: "github.com/labstack/echo/v4"},
	{rule: "r5-acts-that-move-money", room: "internal/wallet", imports: "elsom/web/session"},
	{rule: "r5-acts-that-move-money", room: "internal/draft", imports: "net/http"},
	{rule: "r5-acts-that-move-money", room: "internal/transfer", imports: "github.com/labstack/echo/v4"},

	{rule: "r6-customer", room: "internal/customer", imports: "elsom/internal/ledger"},
	{rule: "r6-customer", room: "internal/customer", imports: "net/http"},
	{rule: "r6-knowers", room: "internal/catalog", imports: "elsom/internal/ledger"},
	{rule: "r6-knowers", room: "internal/ratelimit", imports: "elsom/internal/outbox"},
	{rule: "r6-knowers", room: "internal/ussdsession", imports: "elsom/internal/i18n"},
	{rule: "r6-machines-that-call", room: "internal/credential", imports: "elsom/internal/ledger"},
	{rule: "r6-report", room: "internal/audit", imports: "elsom/internal/outbox"},

	{rule: "r7-ledger", room: "internal/ledger", imports: "elsom/internal/outbox"},
	{rule: "r7-ledger", room: "internal/ledger", imports: "elsom/internal/i18n"},

	{rule: "r8-outbox", room: "internal/outbox", imports: "elsom/internal/money"},
	{rule: "r8-billerslot", room: "internal/billerslot", imports: "elsom/internal/outbox"},
	{rule: "r8-database", room: "internal/database", imports: "elsom/internal/money"},

	{rule: "r9-port-biller", room: "internal/biller", imports: "elsom/internal/database"},
	{rule: "r9-port-biller", room: "internal/biller", imports: "net/http"},
	{rule: "r9-ports-that-speak", room: "internal/notify/sms", imports: "elsom/internal/ledger"},
	{rule: "r9-ports-that-speak", room: "internal/notify/email", imports: "net/http"},
	{rule: "r9-ports-that-speak", room: "internal/notify/email", imports: "elsom/internal/payment"},
	{rule: "r9-wires", room: "internal/biller/osmp", imports: "elsom/internal/database"},
	{rule: "r9-wires", room: "internal/notify/sms/kannel", imports: "elsom/internal/ledger"},
	{rule: "r9-port-push", room: "internal/notify/push", imports: "net/http"},
	{rule: "r9-port-push", room: "internal/notify/push", imports: "elsom/internal/payment"},
	{rule: "r9-wires", room: "internal/notify/push/webpush", imports: "elsom/internal/database"},
	{rule: "r9-wire-inbox", room: "internal/notify/sms/inbox", imports: "elsom/internal/ledger"},

	{rule: "r10-identifiers", room: "internal/money", imports: "elsom/internal/fault"},
	{rule: "r10-identifiers", room: "internal/inn", imports: "github.com/labstack/echo/v4"},
	{rule: "r10-values", room: "internal/fault", imports: "golang.org/x/text/language"},
	{rule: "r10-values", room: "migrations", imports: "github.com/pressly/goose/v3"},
	{rule: "r10-values", room: "static", imports: "github.com/a-h/templ"},
	{rule: "r10-input", room: "internal/input", imports: "elsom/internal/fault"},
	{rule: "r10-phone", room: "internal/phone", imports: "github.com/labstack/echo/v4"},
	{rule: "r10-i18n", room: "internal/i18n", imports: "elsom/internal/fault"},
	{rule: "r10-config", room: "internal/config", imports: "elsom/internal/money"},
	{rule: "r10-server", room: "web", imports: "elsom/internal/payment"},
	{rule: "r10-server", room: "web", imports: "elsom/internal/database"},

	{rule: "r11-gorm-in-stores", room: "internal/payment", imports: "gorm.io/gorm"},
	{rule: "r11-gorm-in-stores", room: "cmd/elsom", imports: "gorm.io/gorm"},
	{rule: "r11-gorm-in-stores", room: "internal/ledger", imports: "github.com/jackc/pgx/v5/pgconn", file: "restore.go"},
	{rule: "(R11)", room: "internal/payment", imports: "os", call: "os.Getenv"},
	{rule: "(R11)", room: "web/portal", imports: "time", call: "time.Now"},
	{rule: "(R11)", room: "internal/catalog", imports: "gorm.io/gorm", call: "(*gorm.DB).AutoMigrate", file: "store_tables.go"},
}

// allowed are imports next to the forbidden ones that must pass: a rule that
// refuses everything would otherwise look as if it worked.
var allowed = []plant{
	{room: "web/portal", imports: "elsom/internal/payment"},
	{room: "web/portal", imports: "elsom/templates/page"},
	{room: "web/terminal", imports: "elsom/internal/cashin"},
	{room: "web/session", imports: "elsom/internal/database"},
	{room: "web/session", imports: "gorm.io/gorm", file: "store.go"},
	{room: "web", imports: "elsom/web/portal"},
	{room: "templates/page", imports: "elsom/templates/layout"},
	{room: "internal/payment", imports: "elsom/internal/ledger"},
	{room: "internal/payment", imports: "gorm.io/gorm", file: "store_draft.go"},
	{room: "internal/ledger", imports: "elsom/internal/database"},
	{room: "internal/database", imports: "gorm.io/gorm"},
	{room: "internal/database", imports: "elsom/migrations"},
	{room: "internal/database", imports: "time", call: "time.Now"},
	{room: "internal/config", imports: "os", call: "os.Getenv"},
	{room: "internal/phone", imports: "github.com/nyaruka/phonenumbers"},
	{room: "cmd/elsom", imports: "elsom/internal/ledger"},
	{room: "cmd/elsom", imports: "time", call: "time.Now"},
}
