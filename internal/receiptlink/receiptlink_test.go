package receiptlink_test

import (
	"encoding/base64"
	"fmt"
	"testing"
	"time"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/fault"
	"elsom/internal/receiptlink"
	"elsom/internal/testkit"
	"elsom/internal/testkit/require"
)

func newLinks(t *testing.T, db *database.DB, secret, previous []byte) *receiptlink.Links {
	t.Helper()
	app := testkit.New(t, db, testkit.Options{NoRateLimits: true})
	return require.Value(receiptlink.New(db, receiptlink.Options{Secret: secret, PreviousSecret: previous, Counters: app.Counters}))(t)
}

// newHolder inserts a customer.
func newHolder(t *testing.T, db *database.DB) int64 {
	t.Helper()
	return testkit.New(t, db, testkit.Options{}).NewCustomer(0).ID
}

func TestGuessedLinksAreNotFound(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		links, ctx, holder := newLinks(t, db, testkit.Secret, nil), t.Context(), newHolder(t, db)
		require.NoError(t, links.Make(ctx, holder, 7))
		require.NoError(t, links.Make(ctx, holder, 7)) // again: the same one
		link := require.Value(links.Of(ctx, holder, 7))(t)
		token := links.Token(*link)
		found := require.Value(links.Find(ctx, token))(t)
		if found.PaymentID != 7 || found.CustomerID != holder || !found.ExpiresAt.Equal(found.MadeAt.Add(receiptlink.Lifetime)) {
			t.Errorf("found %+v", found)
		}
		raw := require.Value(base64.RawURLEncoding.DecodeString(token))(t)
		raw[len(raw)-1] ^= 1
		for name, text := range map[string]string{"another secret": base64.RawURLEncoding.EncodeToString(raw), "none": "", "short": token[:20], "no base64": "!" + token[1:], "long": token + "AAAA"} {
			if _, err := links.Find(ctx, text); !fault.Is(err, fault.NotFound) {
				t.Errorf("%s: %v", name, err)
			}
		}
		// Links of a replaced secret stay, those of another don't.
		other := []byte("another secret of thirty-two bytes or more")
		if _, err := newLinks(t, db, other, testkit.Secret).Find(ctx, token); err != nil {
			t.Errorf("after the secret was replaced: %v", err)
		}
		if _, err := newLinks(t, db, other, nil).Find(ctx, token); !fault.Is(err, fault.NotFound) {
			t.Errorf("with another secret: %v", err)
		}
		// A row that was changed has another link.
		databasetest.TamperAll(t, db, "UPDATE receipt_links SET payment_id = 8")
		if _, err := links.Find(ctx, token); !fault.Is(err, fault.NotFound) {
			t.Errorf("of a changed row: %v", err)
		}
	})
}

// A link ends when it is revoked, and after its lifetime; a new one is another.
func TestLinkEnds(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		links, ctx, holder := newLinks(t, db, testkit.Secret, nil), t.Context(), newHolder(t, db)
		newToken := func() string {
			t.Helper()
			require.NoError(t, links.Make(ctx, holder, 7))
			return links.Token(*require.Value(links.Of(ctx, holder, 7))(t))
		}
		first := newToken()
		require.NoError(t, links.Revoke(ctx, holder, 7))
		require.NoError(t, links.Revoke(ctx, holder, 7))
		second := newToken()
		if _, err := links.Find(ctx, first); !fault.Is(err, fault.NotFound) || first == second {
			t.Errorf("a revoked link: %v", err)
		}
		link := require.Value(links.Find(ctx, second))(t)
		require.NoError(t, links.CountView(ctx, link))
		if got := require.Value(links.Of(ctx, holder, 7))(t); got.Views != 1 {
			t.Errorf("%d views", got.Views)
		}
		past := database.StoredTime(db.Now().Add(-time.Second))
		databasetest.Tamper(t, db, "UPDATE receipt_links SET expires_at = ?, id = 1", past)
		if got := require.Value(links.Of(ctx, holder, 7))(t); got != nil {
			t.Error("an expired link is shown")
		}
		if n := require.Value(links.Purge(ctx))(t); n != 1 {
			t.Errorf("%d purged", n)
		}
	})
}

// A link can be used until its lifetime is over.
func TestExpiredLinkIsNotFound(t *testing.T) {
	for name, open := range map[string]func(testing.TB, ...database.Option) *database.DB{"sqlite": databasetest.SQLite, "postgres": databasetest.Postgres} {
		t.Run(name, func(t *testing.T) {
			clock := &testkit.Clock{}
			db := open(t, clock.Option())
			links, ctx, holder := newLinks(t, db, testkit.Secret, nil), t.Context(), newHolder(t, db)
			require.NoError(t, links.Make(ctx, holder, 7))
			token := links.Token(*require.Value(links.Of(ctx, holder, 7))(t))
			clock.Advance(receiptlink.Lifetime - time.Minute)
			if _, err := links.Find(ctx, token); err != nil {
				t.Errorf("a minute before its end: %v", err)
			}
			clock.Advance(2 * time.Minute)
			if _, err := links.Find(ctx, token); !fault.Is(err, fault.NotFound) {
				t.Errorf("a minute after its end: %v", err)
			}
			require.NoError(t, links.Make(ctx, holder, 7))
			if again := links.Token(*require.Value(links.Of(ctx, holder, 7))(t)); again == token {
				t.Error("the new link is that which has ended")
			}
		})
	}
}

func TestLinksOfAWalletAreBounded(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		links, ctx, holder := newLinks(t, db, testkit.Secret, nil), t.Context(), newHolder(t, db)
		for i := range int64(50) {
			require.NoError(t, links.Make(ctx, holder, 1+i))
		}
		if err := links.Make(ctx, holder, 100); !fault.Is(err, fault.Limit) || fault.As(err).Reason != "receiptlink.too_many" {
			t.Errorf("the 51st: %v", err)
		}
		databasetest.Tamper(t, db, fmt.Sprintf("UPDATE receipt_links SET expires_at = made_at WHERE payment_id = 1 AND customer_id = %d", holder))
		require.NoError(t, links.Make(ctx, holder, 100))
	})
}
