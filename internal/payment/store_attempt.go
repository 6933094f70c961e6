package payment

import (
	"bytes"
	"context"
	"errors"
	"time"

	"gorm.io/gorm"

	"elsom/internal/biller"
	"elsom/internal/database"
)

// storedAttempt is an attempt with its signature.
type storedAttempt struct {
	SignedAttempt `gorm:"embedded"`
	MAC           []byte `gorm:"column:mac"`
	KeyID         string
}

// readAttempts is readAttemptRows in a transaction.
func readAttempts(tx *database.Tx, ids []int64) (map[int64][]storedAttempt, error) {
	return readAttemptRows(tx.Gorm(), tx.Dialect(), ids)
}

// readAttemptRows returns the attempts of payments by payment, in the order of their
// numbers.
func readAttemptRows(g *gorm.DB, dialect database.Dialect, ids []int64) (map[int64][]storedAttempt, error) {
	found := map[int64][]storedAttempt{}
	if len(ids) == 0 {
		return found, nil
	}
	these, list := database.InList(dialect, ids)
	var rows []storedAttempt
	err := g.Raw(`SELECT COALESCE(id, 0) AS id, payment_id, number, biller, started_at, ended_at, outcome, result, reference, remark, mac, key_id
		FROM payment_attempts WHERE payment_id `+these+` ORDER BY payment_id, number`, list).Scan(&rows).Error
	for _, r := range rows {
		found[r.PaymentID] = append(found[r.PaymentID], r)
	}
	return found, err
}

// insertAttempts stores the attempts of calls, before the calls are made, and sets their
// ids and times.
func insertAttempts(tx *database.Tx, calls []call) error {
	if len(calls) == 0 {
		return nil
	}
	list, now := make([]storedAttempt, len(calls)), tx.Now()
	for i := range calls {
		a := &calls[i].attempt
		a.ID, a.StartedAt = tx.NewID(), now
		list[i].SignedAttempt = *a
		list[i].MAC, list[i].KeyID = tx.Sign(a.Record())
	}
	return tx.Write(database.WriteSet{Inserts: []database.Rows{{Table: "payment_attempts", Columns: []database.Column{
		database.ColumnOf("id", "bigint", list, func(a *storedAttempt) int64 { return a.ID }),
		database.ColumnOf("payment_id", "bigint", list, func(a *storedAttempt) int64 { return a.PaymentID }),
		database.ColumnOf("number", "bigint", list, func(a *storedAttempt) int64 { return int64(a.Number) }),
		database.ColumnOf("biller", "text", list, func(a *storedAttempt) string { return a.Biller }),
		database.ConstColumn("started_at", "timestamptz", now),
		database.ColumnOf("mac", "bytea", list, func(a *storedAttempt) []byte { return a.MAC }),
		database.ColumnOf("key_id", "text", list, func(a *storedAttempt) string { return a.KeyID }),
	}}}})
}

// withOutcomes returns the attempts of calls with their outcomes, signed.
func withOutcomes(tx *database.Tx, rows []answeredCall) []storedAttempt {
	list, now := make([]storedAttempt, len(rows)), tx.Now()
	for i, r := range rows {
		list[i].SignedAttempt = r.attempt(now)
		list[i].MAC, list[i].KeyID = tx.MAC(list[i].Record())
	}
	return list
}

// updateOutcomes stores outcomes. One that is stored is never overwritten.
func updateOutcomes(list []storedAttempt) database.Update {
	return database.Update{
		Set: `payment_attempts SET outcome = v.outcome, result = v.result, reference = v.reference, remark = v.remark, ended_at = v.ended_at,
			mac = v.mac, key_id = v.key_id`,
		Where: "payment_attempts.payment_id = v.payment_id AND payment_attempts.number = v.number AND payment_attempts.outcome IS NULL",
		Values: []database.Column{
			database.ColumnOf("payment_id", "bigint", list, func(a *storedAttempt) int64 { return a.PaymentID }),
			database.ColumnOf("number", "bigint", list, func(a *storedAttempt) int64 { return int64(a.Number) }),
			database.ColumnOf("outcome", "text", list, func(a *storedAttempt) string { return a.Outcome }),
			database.ColumnOf("result", "bigint", list, func(a *storedAttempt) *int64 { return a.Result }),
			database.ColumnOf("reference", "text", list, func(a *storedAttempt) string { return a.Reference }),
			database.ColumnOf("remark", "text", list, func(a *storedAttempt) string { return a.Remark }),
			database.ColumnOf("ended_at", "timestamptz", list, func(a *storedAttempt) time.Time { return *a.EndedAt }),
			database.ColumnOf("mac", "bytea", list, func(a *storedAttempt) []byte { return a.MAC }),
			database.ColumnOf("key_id", "text", list, func(a *storedAttempt) string { return a.KeyID }),
		},
	}
}

// storeOutcomes stores the answers of calls, and queues them for the log in the same
// statement. It returns database.ErrRowCount if an outcome was stored before: the
// transaction must not commit then, and storeOutcomesOnce finds out whether it is foreign.
func storeOutcomes(tx *database.Tx, rows []answeredCall) error {
	list := withOutcomes(tx, rows)
	for _, a := range list {
		tx.Queue(a.Record(), a.MAC)
	}
	return tx.Write(database.WriteSet{Update: updateOutcomes(list)})
}

// storeOutcomesOnce stores the answers of calls, except those that were stored before,
// by an earlier try of the same process. It returns the calls whose attempts are missing,
// or whose outcomes something else has stored.
func storeOutcomesOnce(ctx context.Context, tx *database.Tx, rows []answeredCall) (foreign []answeredCall, err error) {
	list := withOutcomes(tx, rows)
	err = tx.Update(updateOutcomes(list))
	if !errors.Is(err, database.ErrRowCount) {
		for _, a := range list {
			tx.Queue(a.Record(), a.MAC)
		}
		return nil, err
	}
	ids := make([]int64, len(list))
	for i, a := range list {
		ids[i] = a.PaymentID
	}
	stored, err := readAttempts(tx, ids)
	if err != nil {
		return nil, err
	}
	for i, a := range list {
		switch found := numbered(stored[a.PaymentID], a.Number); {
		case found != nil && len(a.MAC) > 0 && bytes.Equal(found.MAC, a.MAC):
			tx.Queue(a.Record(), a.MAC)
		//mutant:replace !found.isOwn(ctx, tx, a) => false TestForgedOutcomeOfARunningCall
		case found == nil || !found.isOwn(ctx, tx, a):
			foreign = append(foreign, rows[i]) //nolint:gosec // list has an element for each of rows
		}
	}
	return foreign, nil
}

// writeOutcomes stores the answers of calls together with the ends of their payments. A
// payment that the biller has booked ends also if something else has stored an outcome,
// which is logged; the audit finds the attempt.
func writeOutcomes(tx *database.Tx, rows []answeredCall) error {
	ctx := tx.Gorm().Statement.Context
	foreign, err := storeOutcomesOnce(ctx, tx, rows)
	warnOfForeign(ctx, foreign)
	return err
}

// numbered returns the attempt with a number; nil if there is none.
func numbered(list []storedAttempt, number int) *storedAttempt {
	for i := range list {
		if list[i].Number == number {
			return &list[i]
		}
	}
	return nil
}

// isOwn reports whether the program has stored an attempt's outcome, by its signature. An
// attempt that this process has signed doesn't become unsigned.
func (s *storedAttempt) isOwn(ctx context.Context, tx *database.Tx, signed storedAttempt) bool {
	return tx.Verify(ctx, s.Record(), s.MAC, s.KeyID) == nil && (len(s.MAC) > 0 || len(signed.MAC) == 0)
}

// attempt returns the attempt of a call with its answer, as it is stored at a time.
func (r answeredCall) attempt(at time.Time) SignedAttempt {
	remark := r.answer.Comment
	if r.answer.Err != nil {
		remark = r.answer.Err.Error()
	}
	a, result := r.call.attempt, int64(r.answer.Result)
	a.EndedAt, a.Outcome, a.Result = &at, r.answer.Outcome.String(), &result
	a.Reference, a.Remark = truncated(r.answer.Reference, biller.ReferenceLength), truncated(remark, 300)
	return a
}
