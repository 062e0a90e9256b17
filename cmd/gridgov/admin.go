package main

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"gridgov/internal/app"
)

// metrics is what /metrics tells: requests by route, and each city's feed, cube and reports.
type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.HistogramVec
	server   *app.Server
}

func newMetrics(server *app.Server) *metrics {
	m := &metrics{registry: prometheus.NewRegistry(), server: server}
	m.requests = prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "gridgov_request_seconds", Help: "Time to answer, by route, method and status.",
		Buckets: []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .025, .05, .1, .5, 1, 5},
	}, []string{"route", "method", "status"})
	m.registry.MustRegister(m.requests, m, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func (m *metrics) observe(route, method string, status int, took time.Duration) {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
	default:
		method = "other" // a client may make up any number of methods, and each would stay
	}
	m.requests.WithLabelValues(route, method, strconv.Itoa(status)).Observe(took.Seconds())
}

var (
	seqDesc     = prometheus.NewDesc("gridgov_feed_seq", "Last event of the feed that this node has read.", []string{"city"}, nil)
	appliedDesc = prometheus.NewDesc("gridgov_cube_seq", "Last event of the feed that the cube holds.", []string{"city"}, nil)
	rowsDesc    = prometheus.NewDesc("gridgov_cube_reports", "Reports in the cube.", []string{"city"}, nil)
	bytesDesc   = prometheus.NewDesc("gridgov_cube_bytes", "Memory of the cube.", []string{"city"}, nil)
	jobsDesc    = prometheus.NewDesc("gridgov_jobs", "Jobs of the city: waiting, later (held, or to be tried again), running, given_up.", []string{"city", "state"}, nil)
	oldestDesc  = prometheus.NewDesc("gridgov_job_oldest_seconds", "How long the oldest job that is due has waited.", []string{"city"}, nil)
)

// Describe implements prometheus.Collector.
func (m *metrics) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{seqDesc, appliedDesc, rowsDesc, bytesDesc, jobsDesc, oldestDesc} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (m *metrics) Collect(ch chan<- prometheus.Metric) {
	for _, c := range m.server.Cities() {
		view := c.View()
		for _, v := range []struct {
			desc  *prometheus.Desc
			value float64
		}{{seqDesc, float64(c.Feed.Head().Seq)}, {appliedDesc, float64(c.Applied().Seq)}, {rowsDesc, float64(view.Len())}, {bytesDesc, float64(view.Bytes())}} {
			ch <- prometheus.MustNewConstMetric(v.desc, prometheus.GaugeValue, v.value, c.Code)
		}
		m.collectJobs(ch, c)
	}
}

// collectJobs asks the database, and tells nothing where it does not answer.
func (m *metrics) collectJobs(ch chan<- prometheus.Metric, c *app.Live) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	s, err := c.Jobs.Standing(ctx)
	if err != nil {
		return
	}
	for state, n := range map[string]int{"waiting": s.Waiting, "later": s.Later, "running": s.Running, "given_up": s.GivenUp} {
		ch <- prometheus.MustNewConstMetric(jobsDesc, prometheus.GaugeValue, float64(n), c.Code, state)
	}
	ch <- prometheus.MustNewConstMetric(oldestDesc, prometheus.GaugeValue, s.Oldest.Seconds(), c.Code)
}

func adminHandler(server *app.Server, m *metrics) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("ok\n"))
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if err := server.Ready(); err != nil {
			http.Error(w, "not ready; the log says why", http.StatusServiceUnavailable)
			return
		}
		_, _ = w.Write([]byte("ready\n"))
	})
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{}))
	return mux
}
