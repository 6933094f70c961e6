package main

import (
	"context"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"elsom/internal/translog"
)

var (
	logSize     = prometheus.NewDesc("elsom_log_records", "Records that are sealed in the log.", nil, nil)
	logUnsealed = prometheus.NewDesc("elsom_log_unsealed_records", "Committed records that are not sealed yet.", nil, nil)
	logOldest   = prometheus.NewDesc("elsom_log_unsealed_oldest_seconds", "Age of the oldest committed record that is not sealed; 0 if there is none.", nil, nil)
	logSealed   = prometheus.NewDesc("elsom_log_sealed_timestamp_seconds", "Time of the last seal; absent before the first.", nil, nil)
	logRefused  = prometheus.NewDesc("elsom_log_refused_rows", "Rows of the log's queue that this process doesn't seal: they were queued without one of its keys, or sealed before.", nil, nil)
	logStops    = prometheus.NewDesc("elsom_log_stops_total", "How often this process has stopped extending the log.", nil, nil)
	logStopped  = prometheus.NewDesc("elsom_log_stopped", "1 if this process refuses to extend the log: it lacks or contradicts what a checkpoint has.", nil, nil)
)

// logMetrics exports the state of the log.
type logMetrics struct{ log *translog.Log }

// Describe implements prometheus.Collector.
func (l *logMetrics) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{logSize, logUnsealed, logOldest, logSealed, logStopped, logStops, logRefused} {
		out <- d
	}
}

// Collect implements prometheus.Collector.
func (l *logMetrics) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	gauge := func(d *prometheus.Desc, value float64) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value)
	}
	status, err := l.log.Status(ctx)
	stopped := 0.0
	if status.Stopped {
		stopped = 1
	}
	gauge(logStopped, stopped)
	gauge(logRefused, float64(status.Refused))
	out <- prometheus.MustNewConstMetric(logStops, prometheus.CounterValue, float64(status.Stops))
	if err != nil {
		slog.WarnContext(ctx, "metrics: reading the log failed", "error", err)
		return
	}
	gauge(logSize, float64(status.Size))
	gauge(logUnsealed, float64(status.Unsealed))
	age := 0.0
	if !status.Oldest.IsZero() {
		age = max(0, time.Since(status.Oldest).Seconds())
	}
	gauge(logOldest, age)
	if !status.Sealed.IsZero() {
		gauge(logSealed, float64(status.Sealed.UnixMilli())/1000)
	}
}
