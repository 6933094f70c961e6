package operatorlog

import (
	"context"
	"errors"
	"strings"
	"testing"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/fault"
)

func record(ctx context.Context, t *testing.T, db *database.DB, change Change, then error) {
	t.Helper()
	err := db.InTx(ctx, func(ctx context.Context, tx *database.Tx) error {
		if err := Record(ctx, tx, change); err != nil {
			return err
		}
		return then
	})
	if !errors.Is(err, then) {
		t.Fatal(err)
	}
}

func TestRecord(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		start := db.Now()
		record(t.Context(), t, db, Change{Subject: "agent qiwi"}, nil) // no command
		ctx := With(t.Context(), Command{Name: "agent set", OSUser: "root", Staff: "Айгүл", Reason: "new contract"})
		if Recorded(ctx) {
			t.Error("recorded before the change")
		}
		record(ctx, t, db, Change{Subject: "agent qiwi"}, errors.New("rolled back"))
		record(ctx, t, db, Change{"agent qiwi", map[string]any{"ceiling": "1"}, map[string]any{"ceiling": "2"}}, nil)
		record(ctx, t, db, Change{Subject: strings.Repeat("ы", 200)}, nil)
		if !Recorded(ctx) {
			t.Error("not recorded")
		}
		entries, more, err := List(t.Context(), db, Filter{Since: start}, 1)
		if err != nil || !more || len(entries) != 1 {
			t.Fatal(entries, more, err)
		}
		e := entries[0]
		if e.Name != "agent set" || e.OSUser != "root" || e.Staff != "Айгүл" || e.Reason != "new contract" || e.Subject != "agent qiwi" ||
			e.Before != `{"ceiling":"1"}` || e.After != `{"ceiling":"2"}` || e.DoneAt.Before(start) {
			t.Errorf("%+v", e)
		}
		if entries, more, err = List(t.Context(), db, Filter{Since: start}, 2); err != nil || more || len(entries) != 2 || entries[1].After != "" {
			t.Error(entries, more, err)
		}
	})
}

// Without a command a posting has no rider.
func TestRiders(t *testing.T) {
	if riders, err := Riders(t.Context(), Change{}); err != nil || riders != nil {
		t.Error(riders, err)
	}
	if riders, err := Riders(With(t.Context(), Command{Name: "settle agent"}), Change{}); err != nil || len(riders) != 1 {
		t.Error(riders, err)
	}
	if _, err := Riders(With(t.Context(), Command{}), Change{After: func() {}}); err == nil {
		t.Error("a function was encoded")
	}
}

func TestLogIsAppendOnly(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		record(With(t.Context(), Command{Name: "settle agent"}), t, db, Change{}, nil)
		for _, query := range []string{"UPDATE operator_log SET staff = 'x'", "DELETE FROM operator_log"} {
			if _, err := databasetest.Owner(t, db).Pool().ExecContext(t.Context(), query); err == nil {
				t.Errorf("%s is allowed", query)
			}
		}
	})
}

func TestNewCommand(t *testing.T) {
	c, err := NewCommand(Command{Staff: " Айгүл ", Reason: " a  b ", OSUser: strings.Repeat("u", 70)})
	if err != nil || c.Staff != "Айгүл" || c.Reason != "a b" || len(c.OSUser) != 60 {
		t.Errorf("%+v, %v", c, err)
	}
	for _, c := range []Command{{Staff: "іvan"}, {Staff: "a\u200bb"}, {Reason: strings.Repeat("x", 301)}, {Reason: "a\xff"}} {
		if _, err := NewCommand(c); !fault.Is(err, fault.Invalid) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

// Entries are listed by command, its first words, person and subject, also together.
func TestListSelectsEntries(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		start := db.Now()
		for _, c := range []struct{ name, staff, subject string }{
			{"agent add", "Асанов Бакыт", "agent till"}, {"agent set", "aida", "agent till"}, {"agents", "", "agent till"}, {"payment decide", "бакыт асанов", "payment 1"},
		} {
			record(With(t.Context(), Command{Name: c.name, Staff: c.staff}), t, db, Change{Subject: c.subject}, nil)
		}
		for _, c := range []struct {
			filter Filter
			want   int
		}{
			{Filter{}, 4}, {Filter{Command: "agent"}, 2}, {Filter{Command: "agent set"}, 1}, {Filter{Command: "agent s"}, 0},
			{Filter{Staff: "Бакыт Асанов"}, 2}, {Filter{Staff: "AIDA"}, 1}, {Filter{Subject: "agent till"}, 3},
			{Filter{Command: "agent", Staff: "aida", Subject: "agent till"}, 1}, {Filter{Staff: "usen"}, 0},
		} {
			c.filter.Since = start
			if entries, more, err := List(t.Context(), db, c.filter, 10); err != nil || more || len(entries) != c.want {
				t.Errorf("%+v: %v, %v, %v", c.filter, entries, more, err)
			}
		}
	})
}

// Long logs are read in pages, none of whose entries is lost or listed twice.
func TestListReadsPages(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		start := db.Now()
		err := db.InTx(With(t.Context(), Command{Name: "agent set"}), func(ctx context.Context, tx *database.Tx) error {
			for range pageSize + 5 { // all at one time
				if err := Record(ctx, tx, Change{}); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		entries, more, err := List(t.Context(), db, Filter{Since: start}, 2*pageSize)
		if err != nil || more || len(entries) != pageSize+5 {
			t.Fatal(len(entries), more, err)
		}
		ids := map[int64]bool{}
		for _, e := range entries {
			ids[e.ID] = true
		}
		if len(ids) != len(entries) {
			t.Errorf("%d entries of %d", len(ids), len(entries))
		}
	})
}
