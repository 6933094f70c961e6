package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"elsom/internal/audit"
	"elsom/internal/database"
	"elsom/internal/notify/sms"
)

var (
	processing = prometheus.NewDesc("elsom_payments_processing", "Payments that have not ended.", nil, nil)
	asked      = prometheus.NewDesc("elsom_payments_asked", "Payments that wait for a person's decision.", nil, nil)
	promised   = prometheus.NewDesc("elsom_promises_open", "Work not done yet, by lane.", []string{"lane"}, nil)
	oldest     = prometheus.NewDesc("elsom_promises_oldest_seconds", "Age of the oldest open work, by lane.", []string{"lane"}, nil)
	texted     = prometheus.NewDesc("elsom_sms_messages", "Messages of the last 24 hours, by state.", []string{"state"}, nil)
	up         = prometheus.NewDesc("elsom_database_up", "1 when the database takes commits and its schema fits, otherwise 0.", nil, nil)
	repeated   = prometheus.NewDesc("elsom_sms_repeated_total",
		"Messages handed to the gateway again because its answer was lost: so many phones may have one twice.", nil, nil)
)

// databaseMetrics reads what waits when it is asked.
type databaseMetrics struct {
	db       *database.DB
	messages *sms.Messages
}

// Describe implements prometheus.Collector.
func (s *databaseMetrics) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{up, processing, asked, promised, oldest, texted, repeated} {
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
	//mutant:replace { => { out <- prometheus.NewInvalidMetric(up, err) ./internal/e2e TestMetricsWithoutTheDatabase
	if err := s.read(ctx, gauge, out); err != nil {
		slog.WarnContext(ctx, "metrics: database", "error", err)
		gauge(up, 0)
		return
	}
	gauge(up, 1)
}

// read collects all metrics before it sends any.
func (s *databaseMetrics) read(ctx context.Context, gauge func(d *prometheus.Desc, value float64, labels ...string), out chan<- prometheus.Metric) error {
	if err := s.db.CheckReady(ctx); err != nil {
		return err
	}
	now, err := audit.ReadMetrics(ctx, s.db)
	if err != nil {
		return err
	}
	told, err := s.messages.Count(ctx)
	if err != nil {
		return err
	}
	gauge(processing, float64(now.Processing))
	gauge(asked, float64(now.Undecided))
	for _, lane := range now.Queues {
		gauge(promised, float64(lane.Open), lane.Name)
		gauge(oldest, s.db.Now().Sub(lane.Oldest).Seconds(), lane.Name)
	}
	for _, state := range []sms.State{sms.Queued, sms.Sent, sms.Delivered, sms.Failed} {
		gauge(texted, float64(told.States[state]), string(state))
	}
	out <- prometheus.MustNewConstMetric(repeated, prometheus.CounterValue, float64(told.Repeats))
	return nil
}
