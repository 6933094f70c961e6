package bench_test

import (
	"context"
	"fmt"
	"time"

	"elsom/internal/catalog"
	"elsom/internal/customer"
	"elsom/internal/database"
	"elsom/internal/ledger"
	"elsom/internal/limit"
	"elsom/internal/payment"
)

// kind selects the rows of a posting.
type kind int

const (
	bare    kind = iota // the transfer alone
	whole               // with the payment's row and its outbox message
	limited             // and with the transaction limits, as «Оплатить» posts it
)

// benchLevel is the standard level's limits.
var benchLevel = catalog.Level{Code: catalog.StandardLevel, Operation: 100_000_00, Month: 1_000_000_00}

// post posts one payment of a random wallet, as payment.Accept does.
func (bdb *benchDB) post(ctx context.Context, kind kind) error {
	drawn := bdb.drawn.Add(1)
	from, to := bdb.wallet(), bdb.transit[int(drawn)%len(bdb.transit)]
	id := bdb.db.NewID()
	posting := ledger.Posting{Key: payment.AcceptKey(id), Op: "payment.accept", Entries: []ledger.Entry{
		{Account: from, Amount: -benchAmount}, {Account: to.account, Amount: benchAmount},
	}}
	if kind == bare {
		posting.Key, posting.Op = fmt.Sprintf("bench:%d", drawn), "bench.transfer"
		posting.Entries[1].Account = bdb.payable
		_, err := bdb.ledger.Post(ctx, posting)
		bdb.transfers.Add(count(err))
		return err
	}
	// Without a subject the posting would be one of the previous release, for which a
	// trigger runs.
	posting.Subject = ledger.Subject{Type: ledger.Payment, ID: id}
	posting.Entries[0].LimitUse = &ledger.LimitUse{}
	posting.Riders = []database.Rider{
		payment.AcceptedRider.Row(payment.Payment{
			ID: id, CustomerID: from, Service: catalog.DostekBiller, Biller: to.code, Identifier: "00207199610017", Payee: "ОсОО «Ала-Тоо»",
			Amount: benchAmount, TxnID: bdb.number(drawn, 18), Code: bdb.number(drawn, 12), Channel: customer.Web,
			State: payment.Processing, AcceptedAt: bdb.db.Now(),
		}),
	}
	if kind == limited {
		payer := customer.Customer{ID: from, SessionEpoch: 1, Level: catalog.StandardLevel}
		posting.Riders = append(posting.Riders, limit.Rider(payer, benchAmount, benchLevel))
		posting.Entries[0].LimitUse = limit.Use(payer, benchLevel, bdb.db.Now())
	}
	_, err := bdb.ledger.Post(ctx, posting)
	bdb.payments.Add(count(err))
	return err
}

func count(err error) int64 {
	if err != nil {
		return 0
	}
	return 1
}

// postFor posts payments with a number of callers for a duration.
func (bdb *benchDB) postFor(callers int, lasting time.Duration, kind kind) figure {
	ctx := context.Background()
	return load{callers: callers, lasting: lasting, do: func(int) outcome {
		if err := bdb.post(ctx, kind); err != nil {
			bdb.m.b.Error(err)
			return over
		}
		return done
	}}.run()
}

// ledger measures payments posted in this process.
func (m *runner) ledger(name string, callers int, kind kind, billers int) (figure, *benchDB) {
	bdb := m.open(name)
	if billers > 1 && len(bdb.transit) == 1 {
		codes := make([]string, billers)
		for i := range codes {
			codes[i] = fmt.Sprintf("bench-%d", i)
		}
		bdb.paysTo(codes...)
	}
	if !bdb.warm { // its first statements are planned, and its pages read
		bdb.warm = true
		bdb.postFor(callers, m.lasting/5, kind)
	}
	return m.measureOnce(name, func() figure { return bdb.postFor(callers, m.lasting, kind) }), bdb
}
