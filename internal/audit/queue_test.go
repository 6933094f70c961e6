package audit_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"elsom/internal/cashin"
	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/fault"
	"elsom/internal/money"
	"elsom/internal/signature"
	"elsom/internal/testkit/require"
	"elsom/internal/translog"
)

// agentState has the signature of an agent, which the tests put back with its earlier state.
type agentState struct {
	Mac   []byte
	KeyID string
}

func (b *sealedBooks) agent() (state agentState) {
	b.t.Helper()
	require.NoError(b.t, b.a.DB.Gorm(b.t.Context()).Raw("SELECT mac, key_id FROM agents").Scan(&state).Error)
	return state
}

// enable sets the agent back to the earlier state in which it was enabled.
func (b *sealedBooks) enable(state agentState) {
	b.t.Helper()
	b.exec("UPDATE agents SET disabled = FALSE, mac = ?, key_id = ?", state.Mac, state.KeyID)
}

// exec runs a statement as the program's role.
func (b *sealedBooks) exec(statement string, args ...any) {
	b.t.Helper()
	require.NoError(b.t, b.a.DB.Gorm(b.t.Context()).Exec(statement, args...).Error)
}

// items returns the records of the queue or of the seals, batch by batch.
func (b *sealedBooks) items(table string) (batches [][]signature.Item) {
	b.t.Helper()
	var lists [][]byte
	require.NoError(b.t, b.a.DB.Gorm(b.t.Context()).Raw("SELECT records FROM "+table+" ORDER BY 1").Scan(&lists).Error)
	for _, list := range lists {
		items, ok := signature.ParseItems(list)
		if !ok {
			b.t.Fatalf("not a list: %x", list)
		}
		for len(items) > 0 {
			end := slices.IndexFunc(items, func(i signature.Item) bool { return i.Kind == signature.Batch }) + 1
			batches, items = append(batches, items[:end]), items[end:]
		}
	}
	return batches
}

func stored(items []signature.Item) (list []byte) {
	for _, item := range items {
		list = signature.AppendItem(list, item)
	}
	return list
}

// batchOf returns the first batch that has a record of a kind, and that record.
func batchOf(t *testing.T, batches [][]signature.Item, kind signature.Kind) ([]signature.Item, signature.Item) {
	t.Helper()
	for _, batch := range batches {
		for _, item := range batch {
			if item.Kind == kind {
				return batch, item
			}
		}
	}
	t.Fatalf("no batch has a %s", kind)
	return nil, signature.Item{}
}

// wantNew requires violations of the audit that it didn't find before, each with a text.
func (b *sealedBooks) wantNew(before []string, texts ...string) {
	b.t.Helper()
	now := b.audit()
	for _, text := range texts {
		if !slices.ContainsFunc(now, func(line string) bool { return strings.Contains(line, text) && !slices.Contains(before, line) }) {
			b.t.Errorf("no %q in %q", text, now)
		}
	}
}

// wantNotSigned requires that the program doesn't sign the agent as it is.
func (b *sealedBooks) wantNotSigned() {
	b.t.Helper()
	ceiling := money.Amount(1_500_00)
	if err := b.a.Agents.ChangeAgent(b.t.Context(), "kicb", cashin.AgentChange{Ceiling: &ceiling}); !fault.Is(err, fault.Unavailable) {
		b.t.Errorf("signed again: %v", err)
	}
}

// An earlier state of an agent is put back and its record is queued by the program's role,
// without the key: it isn't sealed, nothing signs on it, and the audit finds both.
func TestForgedBatchIsFound(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		b := newSealedBooks(t, db)
		b.seal()
		enabled := b.agent()
		_, record := batchOf(t, b.items("log_seals"), signature.Agent)
		require.NoError(t, b.a.Agents.DisableAgent(t.Context(), "kicb"))
		head := b.seal()
		before := b.audit()
		b.enable(enabled)
		id := db.NewID()
		b.exec("INSERT INTO log_queue (id, records) VALUES (?, ?)", id, signature.AppendItem(nil, record))
		for range 2 {
			b.wantNew(before, fmt.Sprintf("row %d of the queue was queued without a known key", id), fmt.Sprintf("agent %d is not as it was sealed", record.ID))
			if b.seal() != head {
				t.Error("the record was sealed")
			}
		}
		b.wantNotSigned()
	})
}

// The same with the batch of that earlier state, which is in the log and has its mac.
func TestBatchQueuedAgainIsFound(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		b := newSealedBooks(t, db)
		b.seal()
		enabled := b.agent()
		batch, _ := batchOf(t, b.items("log_seals"), signature.Agent)
		require.NoError(t, b.a.Agents.DisableAgent(t.Context(), "kicb"))
		head := b.seal()
		before := b.audit()
		b.enable(enabled)
		id := batch[len(batch)-1].ID
		b.exec("INSERT INTO log_queue (id, records) VALUES (?, ?)", id, stored(batch))
		if b.seal() != head {
			t.Error("the batch was sealed again")
		}
		b.wantNew(before, fmt.Sprintf("the batch %d of records was sealed and is queued again", id))
		b.wantNotSigned()
		// A sealer of the attacker, which ignores that.
		databasetest.Tamper(t, db, "DELETE FROM log_buckets WHERE bucket = ?", database.LogBucket(id))
		b.seal()
		databasetest.Tamper(t, db, "INSERT INTO log_buckets (bucket, first) SELECT ?, first FROM log_seals WHERE TRUE ON CONFLICT DO NOTHING", database.LogBucket(id))
		b.wantNew(before, fmt.Sprintf("the batch %d of records was sealed 2 times", id))
	})
}

// Records that are taken out of the queue leave the others of their transaction without a
// valid batch.
func TestRecordTakenOutOfItsBatchIsFound(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		b := newSealedBooks(t, db)
		b.seal()
		enabled := b.agent()
		before := b.audit()
		require.NoError(t, b.a.Agents.DisableAgent(t.Context(), "kicb"))
		batch, record := batchOf(t, b.items("log_queue"), signature.Agent)
		id := batch[len(batch)-1].ID
		left := slices.DeleteFunc(slices.Clone(batch), func(i signature.Item) bool { return i == record })
		b.exec("DELETE FROM log_queue WHERE id = ?", id)
		b.exec("INSERT INTO log_queue (id, records) VALUES (?, ?)", id, stored(left))
		b.enable(enabled)
		b.seal()
		b.wantNew(before, fmt.Sprintf("row %d of the queue was queued without a known key", id))
	})
}

// Records that something without the key of the books has sealed itself are found.
func TestRecordsSealedWithoutABatchAreFound(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		b := newSealedBooks(t, db)
		other := require.Value(signature.ParseKeys("another-key-of-the-books-0123456789abcdef"))(t)
		id := db.NewID()
		b.exec("INSERT INTO log_queue (id, records) VALUES (?, ?)", id, other.EndBatch(signature.AppendItem(nil, signature.Item{Kind: signature.Payment, ID: id}), id))
		before := b.audit()
		database.WithKeys(require.Value(signature.ParseKeys(databasetest.Key+"\nanother-key-of-the-books-0123456789abcdef"))(t), false)(db)
		b.seal()
		database.WithKeys(databasetest.Keys(), false)(db)
		b.wantNew(before, "2 records of the seal of the records from 0 on were queued without a known key")
	})
}

// A log that was sealed again without the checkpoint key has no checkpoint: the audit finds
// it, and no portal signs on it.
func TestLogWithoutCheckpointIsFound(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		b := newSealedBooks(t, db)
		b.seal()
		before := b.audit()
		b.exec("UPDATE log_state SET checkpoint = ''")
		b.wantNew(before, "records and no checkpoint")
		b.sealAgainWithout(signature.CashIn)
		log := translog.New(db, translog.Options{})
		for require.Value(log.Seal(t.Context()))(t) > 0 {
		}
		b.wantNew(before, "records and no checkpoint")
		b.pay()
		if _, err := translog.New(db, translog.Options{Keys: b.keys}).Seal(t.Context()); !strings.Contains(fmt.Sprint(err), translog.ErrNoCheckpoint.Error()) {
			t.Errorf("sealed on it: %v", err)
		}
	})
}

// sealAgainWithout removes the row of a kind and puts all sealed batches into the queue again,
// except the one with its record, as the owner of the tables can.
func (b *sealedBooks) sealAgainWithout(kind signature.Kind) {
	b.t.Helper()
	batches := b.items("log_seals")
	without, record := batchOf(b.t, batches, kind)
	databasetest.TamperAll(b.t, b.a.DB, fmt.Sprintf("DELETE FROM %ss WHERE id = %d", kind, record.ID), "DELETE FROM log_seals", "DELETE FROM log_buckets", "DELETE FROM log_tiles",
		"UPDATE log_state SET size = 0, checkpoint = ''")
	for _, batch := range batches {
		if list := stored(batch); !bytes.Equal(list, stored(without)) {
			databasetest.Tamper(b.t, b.a.DB, "INSERT INTO log_queue (id, records) VALUES (?, ?)", batch[len(batch)-1].ID, list)
		}
	}
}
