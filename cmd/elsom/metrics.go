package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"elsom/internal/audit"
	"elsom/internal/database"
	"elsom/internal/notify/sms"
	"elsom/web"
)

// metrics are an operator's figures, for Prometheus, on an address of their
// own. No label holds a number, a name or an amount.
type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.HistogramVec
}

func newMetrics(h *house) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "elsom_request_seconds", Help: "Time to answer, by route.",
			Buckets: []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"method", "route", "status"}),
	}
	m.registry.MustRegister(m.requests, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), collectors.NewDBStatsCollector(h.db.Pool(), "elsom"),
		prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "elsom_log_lines_dropped_total", Help: "Log lines dropped because the reader was too slow.",
		}, func() float64 { return float64(logs.dropped.Load()) }),
		&standing{h.db, h.messages}, &limits{h}, h.ceilings)
	return m
}

// observe counts an answered request.
func (m *metrics) observe(r web.Request) {
	m.requests.WithLabelValues(known(r.Method), r.Route, strconv.Itoa(r.Status)).Observe(r.Took.Seconds())
}

// known keeps the methods that clients make up out of the labels: each would
// be a series for ever.
func known(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete,
		http.MethodConnect, http.MethodOptions, http.MethodTrace:
		return method
	}
	return "other"
}

// serve answers until ctx ends. The address was tried before: see listen.
func (m *metrics) serve(ctx context.Context, listener net.Listener) {
	mux := http.NewServeMux()
	// Metrics that can't be read are left out. The error is only logged: it may
	// have the database's address.
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError}))
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		slog.ErrorContext(ctx, "metrics", "error", err)
	}
}

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

// standing reads what waits when it is asked.
type standing struct {
	db       *database.DB
	messages *sms.Messages
}

// Describe implements prometheus.Collector.
func (s *standing) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{up, processing, asked, promised, oldest, texted, repeated} {
		out <- d
	}
}

// Collect implements prometheus.Collector.
func (s *standing) Collect(out chan<- prometheus.Metric) {
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
func (s *standing) read(ctx context.Context, gauge func(d *prometheus.Desc, value float64, labels ...string), out chan<- prometheus.Metric) error {
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

var (
	codesRefused = prometheus.NewDesc("elsom_sms_codes_refused_total",
		"SMS codes not sent, by the limit that was reached: number, or network and overall for unknown visitors.",
		[]string{"limit"}, nil)
	noticesDropped = prometheus.NewDesc("elsom_sms_notices_dropped_total",
		"SMS notices dropped by the daily limit of their number.", nil, nil)
	pinsWrong = prometheus.NewDesc("elsom_ussd_wrong_pins_total", "Wrong PINs entered through a gateway.", []string{"gateway"}, nil)
)

// limits exports what this process refused.
type limits struct{ *house }

// Describe implements prometheus.Collector.
func (l *limits) Describe(out chan<- *prometheus.Desc) {
	out <- codesRefused
	out <- noticesDropped
	out <- pinsWrong
}

// Collect implements prometheus.Collector.
func (l *limits) Collect(out chan<- prometheus.Metric) {
	for limit, n := range l.customers.RefusedCodes() {
		out <- prometheus.MustNewConstMetric(codesRefused, prometheus.CounterValue, float64(n), limit)
	}
	out <- prometheus.MustNewConstMetric(noticesDropped, prometheus.CounterValue, float64(l.dropped.Load()))
	if door := l.ussd.Load(); door != nil {
		for gateway, n := range door.WrongPINs() {
			out <- prometheus.MustNewConstMetric(pinsWrong, prometheus.CounterValue, float64(n), gateway)
		}
	}
}
