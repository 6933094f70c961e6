package customer

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"elsom/internal/database"
	"elsom/internal/database/databasetest"
	"elsom/internal/fault"
	"elsom/internal/phone"
	"elsom/internal/ratelimit"
)

// TestCodeBudget exhausts the daily budget of a network and overall. Familiar
// browsers and addresses still get codes.
func TestCodeBudget(t *testing.T) {
	var log bytes.Buffer
	usual := slog.Default()
	slog.SetDefault(slog.New(slog.NewJSONHandler(&log, nil)))
	defer slog.SetDefault(usual)
	for name, db := range map[string]*database.DB{"sqlite": databasetest.SQLite(t), "postgres": databasetest.Postgres(t)} {
		t.Run(name, func(t *testing.T) {
			log.Reset()
			ctx, h := context.Background(), newFixture(t, db)
			o := h.o
			o.Budget = Budget{Overall: 6, Network: 4}
			h.Customers = h.build(o)
			h.newCustomer(number) // one of the network and overall
			own := Origin{Address: "198.51.100.1", Device: "the owner's browser"}
			if _, err := h.LogIn(ctx, number, good, own); err != nil {
				t.Fatal(err)
			}
			refused := map[string]int{}
			for i, address := range []string{home, home, "192.0.2.9", home, home, "203.0.113.7", "203.0.113.7", "2001:db8::1", "2001:db8::2"} {
				err := h.StartReset(ctx, fmt.Sprint("stranger", i), phone.Number(fmt.Sprintf("+996700%06d", i)), "ru", at(address))
				if err == nil {
					continue
				}
				want(t, address, err, fault.TooMany, "customer.code_budget", "")
				if fault.As(err).RetryAfter <= 0 {
					t.Error("no RetryAfter")
				}
				refused[ratelimit.Network(address)]++
			}
			if want := map[string]int{"192.0.2.0/24": 2, "2001:db8::/48": 2}; fmt.Sprint(refused) != fmt.Sprint(want) {
				t.Errorf("refused %v, want %v", refused, want)
			}
			if got, want := h.RefusedCodes(), map[string]int64{"number": 0, "network": 2, "overall": 2}; fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("counted %v, want %v", got, want)
			}
			if err := h.StartReset(ctx, "own", number, "ru", own); err != nil {
				t.Errorf("the owner's browser: %v", err)
			}
			if err := h.StartReset(ctx, "at home", number, "ru", at(home)); err != nil {
				t.Errorf("the owner's address: %v", err)
			}
			if n := strings.Count(log.String(), "budget of SMS codes"); n != 2 || strings.Contains(log.String(), "996700") {
				t.Errorf("%d warnings:\n%s", n, log.String())
			}
		})
	}
}

// The number of codes for a number from unfamiliar origins is limited, however the
// requests are spread over a day and over networks.
func TestCodesPerDayAreLimited(t *testing.T) {
	databasetest.Each(t, func(t *testing.T, db *database.DB) {
		ctx, h := context.Background(), newFixture(t, db)
		sent := 0
		for hour := range 23 {
			for place := range 6 {
				for range 2 {
					if h.StartReset(ctx, fmt.Sprint(hour), number, "ru", at(fmt.Sprintf("198.51.%d.7", 6*hour+place))) == nil {
						sent++
					}
				}
			}
			h.advance(codeNumber.Window)
		}
		if most := codeNumberDay.Limit + codeReserve.Limit; sent != most {
			t.Errorf("%d codes to one number in a day, want %d", sent, most)
		}
		if h.RefusedCodes()[byNumber] == 0 {
			t.Error("no refusal counted")
		}
	})
}

// A familiar browser has a daily limit too.
func TestCodesPerBrowserAreLimited(t *testing.T) {
	h := newFixture(t, databasetest.SQLite(t))
	h.newCustomer(number)
	own := Origin{Address: home, Device: "the owner's browser"}
	if _, err := h.LogIn(t.Context(), number, good, own); err != nil {
		t.Fatal(err)
	}
	sent := 0
	for range 20 {
		for range 2 {
			if h.StartReset(t.Context(), browser, number, "ru", own) == nil {
				sent++
			}
		}
		h.advance(codeDevice.Window)
	}
	if sent != codeDeviceDay.Limit {
		t.Errorf("%d codes in a day, want %d", sent, codeDeviceDay.Limit)
	}
}
