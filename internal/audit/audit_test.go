package audit_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"elsom/internal/audit"
	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/payment"
)

func runAudit(t testing.TB, db *database.DB) audit.Result {
	t.Helper()
	proof, err := audit.Run(context.Background(), db, audit.Outside{})
	if err != nil {
		t.Fatal(err)
	}
	return withoutRemovedGuards(db, proof)
}

func printed(t testing.TB, p audit.Result) string {
	t.Helper()
	var text strings.Builder
	if err := p.Print(&text); err != nil {
		t.Fatal(err)
	}
	return text.String()
}

func TestEmptyBooks(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		if p := runAudit(t, db); !p.OK() {
			t.Fatal(printed(t, p))
		}
	})
}

func TestCorrectBooks(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		b := newBook(t, db)
		p := runAudit(t, db)
		if !p.OK() || len(p.Violations) > 0 {
			t.Fatal(printed(t, p))
		}
		if p.Transfers != 9 || p.Entries != 19 {
			t.Errorf("%d transfers, %d entries", p.Transfers, p.Entries)
		}
		for _, want := range []audit.Total{
			{Name: "wallet", Count: 2, Amount: 943_00}, {Name: "till", Count: 1, Amount: -1500_00},
			{Name: "transit", Count: 1, Amount: 202_00}, {Name: "payable", Count: 1, Amount: 350_00}, {Name: "fees", Count: 1, Amount: 5_00},
		} {
			if !slices.Contains(p.Accounts, want) {
				t.Errorf("no %v in %v", want, p.Accounts)
			}
		}
		for _, want := range []audit.Total{{"completed", 2, 355_00}, {"processing", 1, 202_00}, {"refunded", 1, 51_00}} {
			if !slices.Contains(p.Payments, want) {
				t.Errorf("no %v in %v", want, p.Payments)
			}
		}
		if want := []audit.Total{{"result 0", 2, 1500_00}, {"result 4", 1, 1_00}}; !slices.Equal(p.CashIns, want) {
			t.Errorf("cash-ins %v", p.CashIns)
		}
		text := printed(t, p)
		for _, want := range []string{"accounts wallet", "943,00", "payments processing", "no debt", "All holds.", audit.CannotKnow} {
			if !strings.Contains(text, want) {
				t.Errorf("%q is not in\n%s", want, text)
			}
		}
		_ = b
	})
}

// The audit composes the request keys of payments itself.
func TestPaymentKeys(t *testing.T) {
	if payment.AcceptKey(7) != "payment:7:accept" || payment.EndKey(7) != "payment:7:end" {
		t.Fatal(payment.AcceptKey(7), payment.EndKey(7))
	}
}

func TestViolationsAreFound(t *testing.T) {
	wantFound(t, violationCases, func(*book) {})
}

// wantFound makes each violation in books of its own, to which prepare adds first.
func wantFound(t *testing.T, violationCases []violationCase, prepare func(*book)) {
	for _, c := range violationCases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			databasetest.Each(t, func(t *testing.T, db *database.DB) {
				b := newBook(t, db)
				prepare(b)
				names := b.names()
				did := make([]string, len(c.did))
				for i, statement := range c.did {
					did[i] = names.Replace(statement)
				}
				b.tamper(did...)
				p := runAudit(t, db)
				want := make([]string, len(c.says))
				for i, line := range c.says {
					want[i] = names.Replace(line)
				}
				got := slices.Sorted(slices.Values(p.Violations))
				slices.Sort(want)
				if !slices.Equal(got, want) {
					t.Fatalf("found\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
				}
				if p.OK() || p.ViolationCount() != int64(len(want)) {
					t.Errorf("counted %d of %d", p.ViolationCount(), len(want))
				}
				wantFoundSince(t, db, want)
				if text := printed(t, p); !strings.Contains(text, "VIOLATION "+want[0]) || strings.Contains(text, "All holds.") {
					t.Errorf("printed:\n%s", text)
				}
			})
		})
	}
}

// names replaces the placeholders of violation cases by ids.
func (b *book) names() *strings.Replacer {
	b.t.Helper()
	pairs := []string{"{transit}", fmt.Sprint(b.transit), "{payable}", fmt.Sprint(b.payable)}
	var rows []struct {
		ID         int64
		RequestKey string
	}
	if err := b.db.Gorm(context.Background()).Raw("SELECT id, request_key FROM transfers").Scan(&rows).Error; err != nil {
		b.t.Fatal(err)
	}
	for _, r := range rows {
		parts := strings.Split(r.RequestKey, ":")
		name := "{sent " + parts[1] + "}"
		switch parts[0] {
		case "cashin":
			name = "{cash " + parts[2] + "}"
		case "payment":
			name = "{" + parts[2] + " " + parts[1] + "}"
		}
		pairs = append(pairs, name, fmt.Sprint(r.ID))
	}
	return strings.NewReplacer(pairs...)
}

// All violations are counted, and at most MaxListed are listed.
func TestListedViolationsAreBounded(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		b := newBook(t, db)
		b.exec(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2500)
			INSERT INTO payments (id, customer_id, service, biller, identifier, payee, amount, fee, txn_id, code, channel, state, accepted_at)
			SELECT 1000 + i, 101, 's', 'dostek', 'x', '', 1, 0, CAST(1000 + i AS VARCHAR), CAST(1000 + i AS VARCHAR), 'web', 'processing', opened_at
			FROM n, accounts WHERE accounts.id = 101`)
		p := runAudit(t, db)
		if p.ViolationCount() != 2*2500+1 || len(p.Violations) != audit.MaxListed {
			t.Fatalf("found %d, listed %d", p.ViolationCount(), len(p.Violations))
		}
		if text := printed(t, p); !strings.Contains(text, "5001 violations; the first 1000 are listed.") {
			t.Error(text[len(text)-200:])
		}
	})
}

// An earlier release that runs beside this one posts transfers without a subject:
// they are found by the request keys of their rows.
func TestTransfersOfEarlierRelease(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		b := newBook(t, db)
		b.send()
		b.tamper("UPDATE transfers SET subject_kind = NULL, subject_id = NULL")
		if p := runAudit(t, db); !p.OK() {
			t.Error(printed(t, p))
		}
		databasetest.Tamper(t, db, "DELETE FROM payments WHERE id = 12")
		if p := runAudit(t, db); p.ViolationCount() != 2 {
			t.Error(printed(t, p))
		}
	})
}
