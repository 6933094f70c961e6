package catalog

import (
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"elsom/internal/money"
)

func TestFee(t *testing.T) {
	for _, c := range []struct {
		name   string
		fee    Fee
		amount money.Amount
		want   money.Amount
	}{
		{"none", Fee{}, 100_000, 0},
		{"nothing costs nothing", Fee{Fixed: 500}, 0, 0},
		{"fixed", Fee{Fixed: 500}, 1, 500},
		{"percent", Fee{BasisPoints: 150}, 10_000, 150},
		{"a broken tyiyn is rounded up", Fee{BasisPoints: 150}, 10_001, 151},
		{"of the smallest amount too", Fee{BasisPoints: 1}, 1, 1},
		{"a whole tyiyn is not", Fee{BasisPoints: 1}, 10_000, 1},
		{"percent and fixed", Fee{BasisPoints: 100, Fixed: 500}, 25_050, 751},
		{"minimum", Fee{BasisPoints: 100, Minimum: 300}, 10_000, 300},
		{"at the minimum", Fee{BasisPoints: 100, Minimum: 300}, 30_000, 300},
		{"maximum", Fee{BasisPoints: 100, Maximum: 300}, 30_100, 300},
		{"the whole amount", Fee{BasisPoints: 10_000}, money.Max, money.Max},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := c.fee.Of(c.amount); got != c.want {
				t.Errorf("fee of %d: %d, want %d", c.amount, got, c.want)
			}
		})
	}
}

func TestFeeIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		points := rapid.Int64Range(1, 10_000).Draw(t, "points")
		amount := rapid.Int64Range(1, int64(money.Max)).Draw(t, "amount")
		exact := new(big.Int).Mul(big.NewInt(points), big.NewInt(amount))
		whole, rest := new(big.Int).QuoRem(exact, big.NewInt(10_000), new(big.Int))
		if rest.Sign() > 0 {
			whole.Add(whole, big.NewInt(1))
		}
		if got := (Fee{BasisPoints: points}).Of(money.Amount(amount)); whole.Cmp(big.NewInt(int64(got))) != 0 {
			t.Fatalf("%d hundredths of a percent of %d: %d, want %s", points, amount, got, whole)
		}
	})
}
