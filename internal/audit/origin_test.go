package audit_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"elsom/internal/audit"
	"elsom/internal/customer"
	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/payment"
	"elsom/internal/signature"
	"elsom/internal/testkit"
	"elsom/internal/testkit/require"
)

// signedBooks makes books by the services: a deposit, and two accepted payments.
func signedBooks(t *testing.T, db *database.DB) (deposit int64, payments []int64) {
	t.Helper()
	a := testkit.New(t, db, testkit.Options{NoRateLimits: true})
	c := a.NewCustomer(1000_00)
	for range 2 {
		draft, err := a.Payments.Quote(t.Context(), c, payment.Order{Service: "dostek", Identifier: testkit.Company, Amount: "100", Channel: customer.Web})
		require.NoError(t, err)
		accepted, err := a.Payments.Accept(t.Context(), c, customer.Web, draft.ID)
		require.NoError(t, err)
		payments = append(payments, accepted.Payment.ID)
	}
	require.NoError(t, db.Gorm(t.Context()).Raw("SELECT id FROM transfers WHERE act = 'test.fill'").Scan(&deposit).Error)
	return deposit, payments
}

// originViolations returns the violations of origin, and nil if there is none.
func originViolations(t *testing.T, db *database.DB, since time.Time) (lines []string, result audit.Result) {
	t.Helper()
	result, err := audit.Run(t.Context(), db, audit.Outside{})
	if !since.IsZero() {
		result, err = audit.RunSince(t.Context(), db, since, audit.Outside{})
	}
	require.NoError(t, err)
	for _, line := range result.Violations {
		if strings.HasPrefix(line, "origin: ") {
			lines = append(lines, line)
		}
	}
	return lines, result
}

// The records that the program signs are those that the audit reads: see
// origin.Tables.
func TestSignedRowsHold(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		signedBooks(t, db)
		lines, result := originViolations(t, db, time.Time{})
		if lines != nil {
			t.Errorf("violations: %q", lines)
		}
		counts := map[string]audit.Origin{}
		for _, o := range result.Origin {
			counts[o.Kind] = o
		}
		if got := counts["transfer"]; got.Signed != 3 || got.Baseline != 0 || got.Unsigned != 0 {
			t.Errorf("transfers: %+v", got)
		}
		if got := counts["payment"]; got.Signed != 2 {
			t.Errorf("payments: %+v", got)
		}
		if text := printed(t, result); !strings.Contains(text, "every transfer is as it was signed") || strings.Contains(text, "ELSOM_BOOKS_KEY is not set") {
			t.Errorf("printed:\n%s", text)
		}
	})
}

// Each manipulation is of other rows, so that the violations of all of them add up.
func TestManipulatedRowsAreFound(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		deposit, payments := signedBooks(t, db)
		first, second := payments[0], payments[1]
		var want []string
		for _, c := range []struct {
			what, statement string
			violation       string // the first that is new; empty: none of origin
		}{
			{"a payment goes to another company", fmt.Sprint("UPDATE payments SET identifier = '00207199610018' WHERE id = ", first), fmt.Sprintf("payment %d is not as it was signed", first)},
			{"and back", fmt.Sprintf("UPDATE payments SET identifier = '%s' WHERE id = %d", testkit.Company, first), "-"},
			{"another customer", fmt.Sprint("UPDATE payments SET customer_id = customer_id + 1 WHERE id = ", first), fmt.Sprintf("payment %d is not as it was signed", first)},
			{"the mac of another payment", fmt.Sprintf("UPDATE payments SET mac = (SELECT mac FROM payments WHERE id = %d) WHERE id = %d", first, second), fmt.Sprintf("payment %d is not as it was signed", second)},
			{"an unsigned payment", fmt.Sprintf(`INSERT INTO payments (id, customer_id, service, biller, identifier, payee, amount, fee, txn_id, code, channel, state, accepted_at)
				SELECT 7, customer_id, service, biller, identifier, payee, amount, fee, '7', '7', channel, 'processing', accepted_at FROM payments WHERE id = %d`, second), "payment 7 is not signed"},
			{"a copied payment", fmt.Sprintf(`INSERT INTO payments (id, customer_id, service, biller, identifier, payee, amount, fee, txn_id, code, channel, state, accepted_at, mac, key_id)
				SELECT 8, customer_id, service, biller, identifier, payee, amount, fee, '8', '8', channel, 'processing', accepted_at, mac, key_id FROM payments WHERE id = %d`, second), "payment 8 is not as it was signed"},
			{"a key of the attacker's", "UPDATE payments SET key_id = '01234567' WHERE id = 8", "payment 8 is signed with the unknown key 01234567"},
			{"declared to be from before", fmt.Sprintf("UPDATE payments SET key_id = 'b-' || key_id WHERE id = %d", second), fmt.Sprintf("payment %d is not as it was signed", second)},
			{"a larger entry", fmt.Sprintf("UPDATE entries SET amount = amount * 2 WHERE transfer_id = %d", deposit), fmt.Sprintf("transfer %d is not as it was signed", deposit)},
			{"its lines exchanged", fmt.Sprintf("UPDATE entries SET amount = -amount / 2 WHERE transfer_id = %d", deposit), fmt.Sprintf("transfer %d is not as it was signed", deposit)},
			{"without a line", fmt.Sprintf("DELETE FROM entries WHERE transfer_id = %d AND line = 1", deposit), fmt.Sprintf("transfer %d is not as it was signed", deposit)},
			{"an unsigned transfer", "INSERT INTO transfers (id, request_key, request_hash, act, posted_at) SELECT 9, 'x', '', 'test.fill', posted_at FROM transfers LIMIT 1", "transfer 9 is not signed"},
			{"with the entries of another", "UPDATE entries SET transfer_id = 9 WHERE transfer_id = (SELECT MAX(id) FROM transfers)", ""},
		} {
			databasetest.Tamper(t, db, c.statement)
			got, result := originViolations(t, db, time.Time{})
			if c.violation == "-" {
				if got != nil {
					t.Fatalf("%s: %q", c.what, got)
				}
				continue
			}
			if result.OK() || c.violation != "" && !slices.Contains(got, "origin: "+c.violation) {
				t.Errorf("%s: found %q, want %s", c.what, got, c.violation)
			}
			want = got
		}
		if len(want) != 7 {
			t.Errorf("at the end: %q", want)
		}
	})
}

// Unsigned rows are violations, except in a database that was in use before.
func TestUnsignedRowsAreFound(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		database.WithKeys(nil, false)(db)
		signedBooks(t, db)
		lines, result := originViolations(t, db, time.Time{})
		if text := printed(t, result); lines != nil || result.Origin != nil || !strings.Contains(text, "not checked: ELSOM_BOOKS_KEY is not set") {
			t.Errorf("without keys: %q, printed:\n%s", lines, text)
		}
		database.WithKeys(databasetest.Keys(), false)(db)
		if lines, _ := originViolations(t, db, time.Time{}); len(lines) < 5 {
			t.Errorf("in a new database: %q", lines)
		}
		databasetest.Tamper(t, db, "INSERT INTO unsigned_allowed (id) VALUES (1)")
		database.WithKeys(databasetest.Keys(), false)(db) // another process
		lines, result = originViolations(t, db, time.Time{})
		if text := printed(t, result); lines != nil || !strings.Contains(text, "not signed: transfer") {
			t.Errorf("permitted: %q, printed:\n%s", lines, text)
		}
		database.WithKeys(databasetest.Keys(), true)(db)
		if lines, _ := originViolations(t, db, time.Time{}); len(lines) < 5 {
			t.Errorf("enforced: %q", lines)
		}
	})
}

// An audit since a moment reads the rows that are new.
func TestSinceChecksOriginOfNewRows(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		deposit, payments := signedBooks(t, db)
		databasetest.Tamper(t, db, fmt.Sprintf("UPDATE entries SET amount = amount * 2 WHERE transfer_id = %d", deposit))
		databasetest.Tamper(t, db, fmt.Sprint("UPDATE payments SET payee = 'x' WHERE id = ", payments[0]))
		for since, want := range map[time.Duration]int{-time.Minute: 2, time.Minute: 1, 25 * time.Hour: 0} {
			if lines, _ := originViolations(t, db, db.Now().Add(since)); len(lines) != want {
				t.Errorf("since %v: %q", since, lines)
			}
		}
	})
}

// A key that signs no more still verifies; with another key no row does.
func TestKeysAreRotatedAndLost(t *testing.T) {
	keys := func(lines ...string) *signature.Keys {
		k, err := signature.ParseKeys(strings.Join(lines, "\n"))
		require.NoError(t, err)
		return k
	}
	const first, second = "first-key-0123456789-first-key-0123456789", "second-key-0123456789-second-key-0123456789"
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		database.WithKeys(keys(first), false)(db)
		signedBooks(t, db)
		database.WithKeys(keys(second, first), false)(db)
		signedBooks(t, db)
		if lines, _ := originViolations(t, db, time.Time{}); lines != nil {
			t.Errorf("rotated: %q", lines)
		}
		for _, lost := range []*signature.Keys{keys(first), keys(second)} {
			database.WithKeys(lost, false)(db)
			if lines, _ := originViolations(t, db, time.Time{}); len(lines) < 5 || !strings.Contains(lines[0], "is signed with the unknown key ") {
				t.Errorf("one key is lost: %q", lines)
			}
		}
	})
}
