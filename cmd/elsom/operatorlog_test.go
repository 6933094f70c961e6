package main_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"elsom/internal/database/databasetest"
	"elsom/internal/testkit/system"
)

// logged returns the entries of the operator log, oldest first.
func (m *operator) logged() []map[string]any {
	m.t.Helper()
	var entries []map[string]any
	for line := range strings.Lines(m.run(0, "", "operator", "log", "--json")) {
		var e map[string]any
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			m.t.Fatalf("%s: %v", line, err)
		}
		entries = append(entries, e)
	}
	return entries
}

// keyless removes the server's keys from the environment.
func (m *operator) keyless() {
	m.env = slices.DeleteFunc(m.env, func(v string) bool { return v == system.SecretKey || v == system.PINPepper })
}

var aigul = []string{"--staff", "Айгүл", "--reason", "came with her passport"}

// Commands about a wallet need no key of the server, store who acted and why, and say
// clearly what is wrong with their input.
func TestCustomerCommands(t *testing.T) {
	eachOperator(t, func(m *operator) {
		m.wallet(77, "+996700123456")
		m.exec("UPDATE customers SET name = 'Бакыт Асанов', email = 'aida@example.kg', inn = '00207199610017' WHERE id = 77")
		m.keyless()
		do := func(words string, code int, input string, args ...string) {
			t.Helper()
			m.wantOutput(words, code, input, args...)
		}
		do("Бакыт А.", 0, "", "customer", "show", "0700 123 456")
		do("0020\u00a0••••\u00a0••••\u00a017", 0, "0700123456\n", "customer", "show", "-")
		if out := m.run(0, "", "customer", "show", "0700123456", "--json"); strings.Contains(out, "Асанов") || strings.Contains(out, "aida@") || strings.Contains(out, "123456") {
			t.Errorf("not masked: %s", out)
		}
		do("no number on standard input", 80, "", "customer", "show", "-")
		do("no wallet has this number", 1, "", "customer", "show", "0700123457")
		do("--reveal needs", 80, "", "customer", "show", "0700123456", "--reveal")
		do("go with --reveal", 80, "", "customer", "show", "0700123456", "--staff", "aigul")
		do("00207199610017", 0, "", append([]string{"customer", "show", "0700123456", "--reveal"}, aigul...)...)
		act := func(words string, args ...string) { t.Helper(); do(words, 0, "", append(args, aigul...)...) }
		act("can send no money out", "customer", "block", "0700123456", "--kind", "out")
		act("already", "customer", "block", "0700123456", "--kind", "out")
		act("is blocked", "customer", "block", "0700123456")
		do("all", 0, "", "customer", "show", "0700123456")
		act("has no block", "customer", "unblock", "0700123456")
		act("already", "customer", "unblock", "0700123456")
		act("are ended", "sessions", "end", "0700123456")
		do("level", 1, "", append([]string{"customer", "level", "0700123456", "gold"}, aigul...)...)
		for _, name := range []string{"іvan", "Воb", "ai\u200bda", "", " ", "愛", strings.Repeat("a", 61)} {
			do("name of staff", 1, "", "customer", "block", "0700123456", "--staff="+name, "--reason", "asked")
		}
		do("reason", 1, "", "customer", "block", "0700123456", "--staff", "aigul", "--reason", " ")
		m.exec("UPDATE customers SET closed_at = $1, closed_phone = phone, phone = '~1' WHERE id = 77", m.db.Now())
		do("was closed on", 1, "", append([]string{"customer", "block", "0700123456"}, aigul...)...)
		var commands []string
		for _, e := range m.logged() {
			if e["command"] != "migrate" {
				commands = append(commands, e["command"].(string))
			}
			if e["command"] != "migrate" && (e["staff"] != "Айгүл" || e["reason"] != "came with her passport" || e["subject"] != "customer 77" || e["os_user"] == "") {
				t.Errorf("%v", e)
			}
		}
		if want := []string{"customer show", "customer block", "customer block", "customer unblock", "sessions end"}; !slices.Equal(commands, want) {
			t.Errorf("logged %q, want %q", commands, want)
		}
	})
}

// payment inserts a processing payment of the wallet 77 with its transfer, unsigned.
func (m *operator) payment() {
	m.t.Helper()
	now := m.db.Now()
	m.exec(`INSERT INTO payments (id, customer_id, service, biller, identifier, payee, amount, fee, txn_id, code, channel, state, accepted_at)
		VALUES (5, 77, 'dostek', 'dostek', '00207199610017', 'Aida', 25050, 0, '1796074636579750957', '123456789015', 'web', 'processing', $1)`, now)
	m.exec("INSERT INTO accounts (id, kind, subject, currency, balance, opened_at) VALUES (9, 'transit', 'dostek', 'KGS', 0, $1)", now)
	m.exec(`INSERT INTO transfers (id, request_key, request_hash, act, posted_at, subject_kind, subject_id)
		VALUES (6, 'payment:5:accept', '', 'payment.accept', $1, 'payment', 5)`, now)
	m.exec("INSERT INTO entries (transfer_id, line, account_id, amount) VALUES (6, 0, 77, -25050), (6, 1, 9, 25050)")
}

// A payment is shown whole by its code as pasted. A decision before 24 hours needs
// evidence; spellings of one name are one person. None of it needs the server's keys.
func TestPaymentCommands(t *testing.T) {
	eachOperator(t, func(m *operator) {
		m.wallet(77, "+996700123456")
		m.payment()
		m.exec("INSERT INTO payment_attempts (payment_id, number, started_at) VALUES (5, 1, $1)", m.db.Now())
		m.keyless()
		m.wantOutput("unknown, no answer was stored", 0, "", "payment", "show", "1234 5678 9015")
		m.wantOutput("processing", 0, "", "payment", "show", "\u20661234\u00a05678\u200b9015\u2069")
		for _, code := range []string{"", "1", "123456789016", "abc", "123456789015 0"} {
			m.wantOutput("no payment has the code", 1, "", "payment", "show", code)
		}
		var shown struct {
			Account  string
			Amount   int64
			Wallet   int64
			Attempts []struct{ Outcome string }
		}
		out := m.run(0, "", "payment", "show", "123456789015", "--json")
		if err := json.Unmarshal([]byte(out), &shown); err != nil || shown.Account != "00207199610017" || shown.Amount != 25050 || shown.Wallet != 77 || len(shown.Attempts) != 1 {
			t.Errorf("%v: %s", err, out)
		}
		if out := m.run(0, "", "payment", "hanging"); strings.Contains(out, "123456789015") {
			t.Errorf("listed before 24 hours: %s", out)
		}
		m.wantOutput("00207199610017", 0, "", "payment", "hanging", "--all")
		decide := func(words string, code int, staff string, more ...string) {
			t.Helper()
			m.wantOutput(words, code, "", append([]string{"payment", "decide", "1234 5678 9015", "refund", "--staff", staff, "--reason", "asked"}, more...)...)
		}
		decide("give it with --evidence", 1, "оса")
		decide("Recorded", 0, "оса", "--evidence", "letter 417")
		decide("already decided", 1, "oca", "--evidence", "letter 417")
		decide("mixes", 1, "оca", "--evidence", "letter 417")
		m.wantOutput("evidence: letter 417", 0, "", "payment", "show", "123456789015")
		m.wantOutput("evidence: letter 417", 0, "", "payment", "hanging", "--all")
		entries := m.logged()
		last := entries[len(entries)-1]
		if after, _ := json.Marshal(last["after"]); last["command"] != "payment decide" || last["subject"] != "payment 123456789015" || last["staff"] != "оса" ||
			string(after) != `{"decision":"refund","evidence":"letter 417","people":1}` {
			t.Errorf("%v", last)
		}
	})
}

// Every command that changes something has its entry, with what was before and after
// and without passwords; what changes nothing has none.
func TestOperatorLog(t *testing.T) {
	eachOperator(t, func(m *operator) {
		start := len(m.logged())
		m.run(0, callerPassword+"\n", "agent", "add", "till", "--ceiling", "500", "--allow", "any")
		m.run(1, callerPassword+"\n", "agent", "add", "till", "--ceiling", "500", "--allow", "any")
		m.run(0, "", "agent", "set", "till", "--ceiling", "600", "--staff", "aigul", "--reason", "new contract")
		m.run(1, "", "agent", "set", "till", "--ceiling", "700", "--staff", "іvan")
		m.run(0, "", "agent", "disable", "till")
		m.run(0, "", "agent", "enable", "till")
		m.run(1, "", "agent", "disable", "nobody")
		m.run(0, callerPassword+"\n", "gateway", "add", "carrier", "--scope", "ussd", "--allow", "any")
		m.run(0, "another long password\n", "gateway", "set", "carrier", "--password", "--staff", "aigul", "--reason", "lost")
		m.run(0, "", "gateway", "disable", "carrier")
		m.run(0, "", "gateway", "enable", "carrier", "--staff", "aigul", "--reason", "found")
		m.env = slices.DeleteFunc(m.env, func(v string) bool { return v == system.PINPepper })
		m.run(0, "the biller's password\n", "biller", "password", "dostek", "--user", "elsom", "--staff", "aigul", "--reason", "contract")
		m.run(0, "", "biller", "list")
		m.run(0, "", "biller", "password", "dostek", "--remove", "--staff", "aigul", "--reason", "contract")
		m.keyless()
		file := filepath.Join(t.TempDir(), "catalog.yaml")
		exported := m.run(0, "", "catalog", "export")
		if err := os.WriteFile(file, []byte(strings.Replace(exported, "prefix: ", "prefix:  ", 1)), 0o600); err != nil {
			t.Fatal(err)
		}
		m.run(0, "", "catalog", "import", file, "--staff", "aigul") // the same
		changed := strings.Replace(exported, "dostek.example", "dostek2.example", 1)
		changed = strings.Replace(changed, "Megacom", "Mega", 1)
		if err := os.WriteFile(file, []byte(changed), 0o600); err != nil {
			t.Fatal(err)
		}
		m.run(1, "", "catalog", "import", file, "--staff", "Воb")
		m.run(0, "", "catalog", "import", file, "--dry-run")
		m.run(0, "", "catalog", "import", file, "--staff", "aigul", "--reason", "renamed")
		m.run(0, "", "catalog", "restore", "1", "--staff", "aigul", "--reason", "wrong name")
		m.run(0, "", "migrate")
		m.run(0, "", "sms", "status")
		entries := m.logged()[start:]
		var commands []string
		for _, e := range entries {
			commands = append(commands, e["command"].(string))
		}
		want := []string{
			"agent add", "agent set", "agent disable", "agent enable", "gateway add", "gateway set", "gateway disable", "gateway enable",
			"biller password", "biller password", "catalog import", "catalog restore",
		}
		if !slices.Equal(commands, want) {
			t.Fatalf("logged %q, want %q", commands, want)
		}
		all, err := json.Marshal(entries)
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range []string{callerPassword, "another long password", "the biller's password"} {
			if strings.Contains(string(all), secret) {
				t.Errorf("a password is logged: %s", all)
			}
		}
		set, _ := json.Marshal(entries[1])
		for _, part := range []string{`"staff":"aigul"`, `"reason":"new contract"`, `"ceiling_tyiyn":50000`, `"ceiling_tyiyn":60000`, `"subject":"agent till"`} {
			if !strings.Contains(string(set), part) {
				t.Errorf("no %s in %s", part, set)
			}
		}
		if changed := entries[5]["after"].(map[string]any)["password_changed"]; changed != true {
			t.Errorf("%v", entries[5])
		}
		m.printedLog()
		m.wantOutput("must be positive", 80, "", "operator", "log", "--since", "0s")
	})
}

// printedLog checks what the log of TestOperatorLog is printed as.
func (m *operator) printedLog() {
	m.t.Helper()
	m.wantOutput("ceiling: 500,00 som → 600,00 som", 0, "", "operator", "log", "--since", "1h", "--command", "agent set", "--staff", "AIGUL")
	m.wantOutput("No such commands", 0, "", "operator", "log", "--command", "settle")
	m.wantOutput("No such commands", 0, "", "operator", "log", "--staff", "nobody")
	m.wantOutput("disabled: no → yes", 0, "", "operator", "log", "--command", "agent")
	m.wantOutput("it is one of agent, agent add", 80, "", "operator", "log", "--command", "agents")
}

// Migrations, backups and restores of a file are logged in the database itself.
func TestFileOperationsAreLogged(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	m := &operator{t: t, env: []string{"ELSOM_DATABASE_URL=sqlite:" + filepath.Join(folder, "elsom.db")}}
	m.run(0, "", "migrate")
	m.run(0, "", "migrate") // changes nothing
	m.run(0, "", "backup", filepath.Join(folder, "copy.db"))
	entries := m.logged()
	var commands []string
	for _, e := range entries {
		commands = append(commands, e["command"].(string)+" "+e["subject"].(string))
	}
	if want := []string{"migrate catalog", "migrate schema", "backup database"}; !slices.Equal(commands, want) {
		t.Errorf("logged %q, want %q", commands, want)
	}
	for _, name := range []string{"elsom.db", "elsom.db-wal", "elsom.db-shm"} {
		if err := os.RemoveAll(filepath.Join(folder, name)); err != nil {
			t.Fatal(err)
		}
	}
	m.run(0, "", "restore", filepath.Join(folder, "copy.db"))
	entries = m.logged()
	if last := entries[len(entries)-1]; last["command"] != "restore" || len(entries) != 3 { // the backup is of its beginning
		t.Errorf("%v", entries)
	}
}

// Commands that decide about money or access name a person and a reason in production;
// those that scripts may call without them take the user of the machine.
func TestProductionRequiresNameAndReason(t *testing.T) {
	t.Parallel()
	m := &operator{t: t, env: []string{system.SecretKey, "ELSOM_DATABASE_URL=sqlite:" + filepath.Join(t.TempDir(), "elsom.db")}}
	m.run(0, "", "migrate")
	m.run(0, callerPassword+"\n", "agent", "add", "till", "--ceiling", "500", "--allow", "any")
	m.run(0, callerPassword+"\n", "gateway", "add", "carrier", "--scope", "ussd", "--allow", "any")
	m.run(0, "", "agent", "set", "till", "--ceiling", "600")
	for _, e := range m.logged()[2:] {
		if e["staff"] == "" || e["os_user"] == "" {
			t.Errorf("%v", e)
		}
	}
	for _, command := range [][]string{
		{"gateway", "set", "carrier", "--allow", "any"}, {"gateway", "enable", "carrier"}, {"catalog", "restore", "1"}, {"biller", "password", "dostek", "--remove"},
	} {
		for _, flags := range [][]string{nil, {"--staff", "aigul"}, {"--reason", "asked"}} {
			m.wantOutput("are required in production", 80, "", append(slices.Clone(command), flags...)...)
		}
	}
	m.run(0, "", "catalog", "restore", "1", "--dry-run")
	m.env = append(m.env, "ELSOM_MODE=development")
	m.wantOutput("may call again", 0, "", "gateway", "enable", "carrier")
}

// Two decisions by one user of the machine count, since people may share an account, but
// the command and the timeline name the user.
func TestOneUserOfTheMachineIsNamed(t *testing.T) {
	eachOperator(t, func(m *operator) {
		m.wallet(77, "+996700123456")
		m.payment()
		decide := func(staff, decision string) string {
			return m.run(0, "", "payment", "decide", "123456789015", decision, "--staff", staff, "--reason", "asked", "--evidence", "letter 417")
		}
		if out := decide("aida", "refund") + decide("bakyt", "complete"); strings.Contains(out, "warning") {
			t.Error(out)
		}
		out := m.run(0, "", "payment", "decide", "123456789015", "refund", "--staff", "azat", "--reason", "asked", "--evidence", "letter 417")
		if !strings.Contains(out, "of this machine made both decisions") {
			t.Error(out)
		}
		m.wantOutput("refunded by aida, completed by bakyt, refunded by azat", 0, "", "payment", "show", "123456789015")
		m.wantOutput("decision of aida (user ", 0, "", "payment", "show", "123456789015")
	})
}

// Lists say which rows are not as they were signed, and so does a command that would sign
// such a row.
func TestListsMarkForgedRows(t *testing.T) {
	eachOperator(t, func(m *operator) {
		m.run(0, callerPassword+"\n", "agent", "add", "till", "--ceiling", "500", "--allow", "any")
		m.run(0, callerPassword+"\n", "agent", "add", "desk", "--ceiling", "500", "--allow", "any")
		m.wallet(77, "+996700123456")
		m.run(0, "", append([]string{"customer", "block", "0700123456"}, aigul...)...)
		if out := m.run(0, "", "agent", "list"); strings.Contains(out, "NOT USED") {
			t.Error(out)
		}
		m.wantOutput("as it was signed", 0, "", "customer", "show", "0700123456")
		m.wantOutput("signed: yes", 0, "", "catalog", "show")
		databasetest.TamperAll(t, m.db, "DELETE FROM unsigned_allowed", "UPDATE agents SET ceiling = ceiling * 100 WHERE code = 'till'",
			"UPDATE customers SET blocked = FALSE WHERE id = 77")
		out := m.run(0, "", "agent", "list")
		if strings.Count(out, "NOT USED: it is not as it was signed") != 1 || !strings.Contains(out, "50\u00a0000,00") {
			t.Error(out)
		}
		m.wantOutput("WRONG: it is not as it was signed", 0, "", "customer", "show", "0700123456")
		m.wantOutput("it was changed past the program", 2, "", "agent", "set", "till", "--ceiling", "600")
		m.env = append(m.env, "ELSOM_BOOKS_KEY=")
		m.wantOutput("not checked", 0, "", "customer", "show", "0700123456")
		m.wantOutput("not checked", 0, "", "catalog", "show")
		m.env = m.env[:len(m.env)-1]
		databasetest.Tamper(t, m.db, "UPDATE catalog_billers SET url = 'https://evil.example/pay' WHERE code = 'dostek'")
		m.wantOutput("signed: NO", 0, "", "catalog", "show")
	})
}
