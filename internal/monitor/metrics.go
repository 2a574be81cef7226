package monitor

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Metrics counts for Prometheus. The nil Metrics counts nothing.
type Metrics struct {
	records   *prometheus.CounterVec // by outcome
	refusals  *prometheus.CounterVec // by reason
	requests  prometheus.Histogram
	chunks    *prometheus.HistogramVec // by worker
	delay     prometheus.Histogram
	lag       *prometheus.GaugeVec // by worker
	failures  *prometheus.CounterVec
	poisoned  prometheus.Counter
	skipped   *prometheus.CounterVec
	loaded    prometheus.Gauge
	indicator prometheus.Gauge
}

// NewMetrics registers
//
//	aspis_door_records_total{outcome="accepted|duplicate"}
//	aspis_door_rejected_total{reason}
//	aspis_door_seconds
//	aspis_pipeline_chunk_seconds{worker}
//	aspis_pipeline_delay_seconds      accepted → committed by the detector
//	aspis_pipeline_behind{worker}     batches not yet worked on
//	aspis_pipeline_failures_total{worker}
//	aspis_pipeline_poisoned_total
//	aspis_pipeline_skipped_total{worker}  batches no longer in the stream
//	aspis_rules_loaded, aspis_indicators_loaded
func NewMetrics(reg prometheus.Registerer) *Metrics {
	vec := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	}
	buckets := []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10, 60}
	m := &Metrics{
		records:  vec("aspis_door_records_total", "Records answered at the door.", "outcome"),
		refusals: vec("aspis_door_rejected_total", "Lines refused at the door.", "reason"),
		requests: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "aspis_door_seconds", Help: "Time to answer a request with records.", Buckets: buckets}),
		chunks: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "aspis_pipeline_chunk_seconds",
			Help: "Time to work on one chunk.", Buckets: buckets}, []string{"worker"}),
		delay: prometheus.NewHistogram(prometheus.HistogramOpts{Name: "aspis_pipeline_delay_seconds",
			Help: "Age of the oldest record of a chunk when its detections are on disk.", Buckets: buckets}),
		lag: prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "aspis_pipeline_behind",
			Help: "Stream positions not yet worked on."}, []string{"worker"}),
		failures:  vec("aspis_pipeline_failures_total", "Chunks that failed and are tried again.", "worker"),
		poisoned:  prometheus.NewCounter(prometheus.CounterOpts{Name: "aspis_pipeline_poisoned_total", Help: "Records that the program failed on."}),
		skipped:   vec("aspis_pipeline_skipped_total", "Stream positions that were no longer there.", "worker"),
		loaded:    prometheus.NewGauge(prometheus.GaugeOpts{Name: "aspis_rules_loaded", Help: "Rules being evaluated."}),
		indicator: prometheus.NewGauge(prometheus.GaugeOpts{Name: "aspis_indicators_loaded", Help: "Indicators being matched."}),
	}
	reg.MustRegister(m.records, m.refusals, m.requests, m.chunks, m.delay, m.lag,
		m.failures, m.poisoned, m.skipped, m.loaded, m.indicator)
	return m
}

func (m *Metrics) accepted(n int) {
	if m != nil {
		m.records.WithLabelValues("accepted").Add(float64(n))
	}
}

func (m *Metrics) duplicates(n int) {
	if m != nil {
		m.records.WithLabelValues("duplicate").Add(float64(n))
	}
}

func (m *Metrics) refused(reason string) {
	if m != nil {
		m.refusals.WithLabelValues(reason).Inc()
	}
}

func (m *Metrics) answered(took time.Duration) {
	if m != nil {
		m.requests.Observe(took.Seconds())
	}
}

func (m *Metrics) worked(worker string, took time.Duration) {
	if m != nil {
		m.chunks.WithLabelValues(worker).Observe(took.Seconds())
	}
}

func (m *Metrics) delayed(age time.Duration) {
	if m != nil {
		m.delay.Observe(age.Seconds())
	}
}

func (m *Metrics) behind(worker string, n uint64) {
	if m != nil {
		m.lag.WithLabelValues(worker).Set(float64(n))
	}
}

func (m *Metrics) failed(worker string) {
	if m != nil {
		m.failures.WithLabelValues(worker).Inc()
	}
}

func (m *Metrics) poison(n int) {
	if m != nil {
		m.poisoned.Add(float64(n))
	}
}

func (m *Metrics) skip(worker string, n uint64) {
	if m != nil {
		m.skipped.WithLabelValues(worker).Add(float64(n))
	}
}

func (m *Metrics) rules(n int) {
	if m != nil {
		m.loaded.Set(float64(n))
	}
}

func (m *Metrics) indicators(n int) {
	if m != nil {
		m.indicator.Set(float64(n))
	}
}
