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

	"elsom/web"
)

// metrics serves Prometheus metrics on an address of their own. No label holds a
// phone number, a name or an amount.
type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.HistogramVec
}

func newMetrics(a *app) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "elsom_request_seconds", Help: "Time to answer, by route.",
			Buckets: []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
		}, []string{"method", "route", "status"}),
	}
	m.registry.MustRegister(m.requests, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), collectors.NewDBStatsCollector(a.db.Pool(), "elsom"),
		prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "elsom_log_lines_dropped_total", Help: "Log lines dropped because the reader was too slow.",
		}, func() float64 { return float64(logs.dropped.Load()) }),
		&databaseMetrics{a.db, a.catalog, a.messages}, &logMetrics{a.log}, &refusalMetrics{a}, a.ceilings)
	return m
}

// observe records an answered request.
func (m *metrics) observe(r web.Request) {
	m.requests.WithLabelValues(knownMethod(r.Method), r.Route, strconv.Itoa(r.Status)).Observe(r.Took.Seconds())
}

// knownMethod returns a label for a request's method. Methods made up by clients
// are "other": each would be a time series of its own.
func knownMethod(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete,
		http.MethodConnect, http.MethodOptions, http.MethodTrace:
		return method
	}
	return "other"
}

// serve serves the metrics on listener until ctx ends.
func (m *metrics) serve(ctx context.Context, listener net.Listener) {
	mux := http.NewServeMux()
	// Metrics that can't be read are left out. The error is only logged since it
	// may contain the database's address.
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError}))
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		slog.ErrorContext(ctx, "metrics: the server failed", "error", err)
	}
}

var (
	codesRefused = prometheus.NewDesc("elsom_sms_codes_refused_total",
		"SMS codes refused, by the limit that was reached: number, or network and overall for unknown visitors.",
		[]string{"limit"}, nil)
	noticesDropped = prometheus.NewDesc("elsom_sms_notices_dropped_total",
		"SMS notices dropped by the daily limit of their number.", nil, nil)
	securityEvents = prometheus.NewDesc("elsom_security_events_total",
		"Events of the security log that this process recorded.", []string{"event", "outcome"}, nil)
	securityEventsDropped = prometheus.NewDesc("elsom_security_events_dropped_total",
		"Rows of the security log dropped because the database took none for long.", nil, nil)
	pinsWrong = prometheus.NewDesc("elsom_ussd_wrong_pins_total", "Wrong PINs entered through a gateway.", []string{"gateway"}, nil)
)

// refusalMetrics exports counts of what this process refused.
type refusalMetrics struct{ *app }

// Describe implements prometheus.Collector.
func (l *refusalMetrics) Describe(out chan<- *prometheus.Desc) {
	out <- codesRefused
	out <- noticesDropped
	out <- pinsWrong
	out <- securityEvents
	out <- securityEventsDropped
}

// Collect implements prometheus.Collector.
func (l *refusalMetrics) Collect(out chan<- prometheus.Metric) {
	for limit, n := range l.customers.RefusedCodes() {
		out <- prometheus.MustNewConstMetric(codesRefused, prometheus.CounterValue, float64(n), limit)
	}
	out <- prometheus.MustNewConstMetric(noticesDropped, prometheus.CounterValue, float64(l.droppedNotices.Load()))
	for kind, n := range l.security.Counts() {
		out <- prometheus.MustNewConstMetric(securityEvents, prometheus.CounterValue, float64(n), string(kind.Event), string(kind.Outcome))
	}
	out <- prometheus.MustNewConstMetric(securityEventsDropped, prometheus.CounterValue, float64(l.security.Dropped()))
	if handler := l.ussd.Load(); handler != nil {
		for gateway, n := range handler.WrongPINs() {
			out <- prometheus.MustNewConstMetric(pinsWrong, prometheus.CounterValue, float64(n), gateway)
		}
	}
}
