package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"elsom/internal/audit"
	"elsom/internal/catalog"
	"elsom/internal/database"
	"elsom/internal/notify/sms"
)

var (
	processing  = prometheus.NewDesc("elsom_payments_processing", "Payments that are neither completed nor refunded.", nil, nil)
	undecided   = prometheus.NewDesc("elsom_payments_undecided", "Payments that need a decision by staff.", nil, nil)
	queueLength = prometheus.NewDesc("elsom_outbox_messages", "Outbox messages that are not done, by queue.", []string{"queue"}, nil)
	queueAge    = prometheus.NewDesc("elsom_outbox_oldest_seconds", "Age of the oldest outbox message that is not done, by queue.", []string{"queue"}, nil)
	smsMessages = prometheus.NewDesc("elsom_sms_messages", "SMS of the last 24 hours, by state.", []string{"state"}, nil)
	databaseUp  = prometheus.NewDesc("elsom_database_up", "1 if the database takes commits and its schema is supported, otherwise 0.", nil, nil)
	unreviewed  = prometheus.NewDesc("elsom_catalog_unreviewed", "1 while the shipped catalog is in force and was not reviewed, otherwise 0.", nil, nil)
	unsigned    = prometheus.NewDesc("elsom_catalog_unverified", "1 while the catalog's tables are not as its newest signed version, otherwise 0.", nil, nil)
	unverified  = prometheus.NewDesc("elsom_unverified_rows_total", "Times that a row which decides where money goes was not as it was signed.", nil, nil)
	smsRepeated = prometheus.NewDesc("elsom_sms_repeated_total",
		"SMS sent to the gateway again because its answer was lost; each may have arrived twice.", nil, nil)

	// Names of the last release; removed in the next.
	oldUndecided   = prometheus.NewDesc("elsom_payments_asked", "Old name of elsom_payments_undecided.", nil, nil)
	oldQueueLength = prometheus.NewDesc("elsom_promises_open", "Old name of elsom_outbox_messages.", []string{"lane"}, nil)
	oldQueueAge    = prometheus.NewDesc("elsom_promises_oldest_seconds", "Old name of elsom_outbox_oldest_seconds.", []string{"lane"}, nil)
)

// databaseMetrics reads the pending work from the database at each scrape.
type databaseMetrics struct {
	db       *database.DB
	catalog  *catalog.Catalog
	messages *sms.Messages
}

// Describe implements prometheus.Collector.
func (s *databaseMetrics) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		databaseUp, unreviewed, unsigned, unverified, processing, undecided, queueLength, queueAge, smsMessages, smsRepeated, oldUndecided, oldQueueLength, oldQueueAge,
	} {
		out <- d
	}
}

// Collect implements prometheus.Collector.
func (s *databaseMetrics) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	gauge := func(d *prometheus.Desc, value float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
	}
	out <- prometheus.MustNewConstMetric(unverified, prometheus.CounterValue, float64(s.db.UnverifiedCount()))
	if err := s.read(ctx, gauge, out); err != nil {
		slog.WarnContext(ctx, "metrics: reading the database failed", "error", err)
		//mutant:drop ./internal/e2e TestMetricsWithoutTheDatabase
		gauge(databaseUp, 0)
		return
	}
	gauge(databaseUp, 1)
}

// read sends the metrics; none if one of the reads fails.
func (s *databaseMetrics) read(ctx context.Context, gauge func(d *prometheus.Desc, value float64, labels ...string), out chan<- prometheus.Metric) error {
	if err := s.db.CheckReady(ctx); err != nil {
		return err
	}
	now, err := audit.ReadMetrics(ctx, s.db)
	if err != nil {
		return err
	}
	counts, err := s.messages.Count(ctx)
	if err != nil {
		return err
	}
	status, err := s.catalog.Status(ctx)
	if err != nil {
		return err
	}
	// Not by s.catalog, which goes on with what it verified before.
	var differences []string
	err = s.db.ReadTx(ctx, func(_ context.Context, tx *database.Tx) error {
		differences, err = catalog.Check(tx, s.db.Keys())
		return err
	})
	if err != nil {
		return err
	}
	gauge(unreviewed, map[bool]float64{false: 1}[status.Reviewed])
	gauge(unsigned, map[bool]float64{true: 1}[len(differences) > 0])
	gauge(processing, float64(now.Processing))
	gauge(undecided, float64(now.Undecided))
	gauge(oldUndecided, float64(now.Undecided))
	for _, queue := range now.Queues {
		age := s.db.Now().Sub(queue.Oldest).Seconds()
		gauge(queueLength, float64(queue.Open), queue.Name)
		gauge(queueAge, age, queue.Name)
		gauge(oldQueueLength, float64(queue.Open), queue.Name)
		gauge(oldQueueAge, age, queue.Name)
	}
	for _, state := range []sms.State{sms.Queued, sms.Sent, sms.Delivered, sms.Failed} {
		gauge(smsMessages, float64(counts.States[state]), string(state))
	}
	out <- prometheus.MustNewConstMetric(smsRepeated, prometheus.CounterValue, float64(counts.Repeats))
	return nil
}
