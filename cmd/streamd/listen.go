package main

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/pprof"
	"time"

	"github.com/streamd/streamd/engine"
)

// listen serves metrics and health on addr, profiles only where addr is a
// loopback address. It returns the address it got and how to end it.
func listen(addr string, m *engine.Metrics, job func() *engine.Job) (string, func(), error) {
	if _, _, err := net.SplitHostPort(addr); err != nil {
		return "", nil, exitf(exitUsage, "--listen: %w; write HOST:PORT", err)
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return "", nil, exitf(exitFailed, "--listen: %w", err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", m.Handler())
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) { readyz(w, job()) })
	if ip, ok := l.Addr().(*net.TCPAddr); ok && ip.IP.IsLoopback() {
		mux.HandleFunc("GET /debug/pprof/", pprof.Index)
		mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
		mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
		mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
		mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	}
	s := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute}
	go func() { _ = s.Serve(l) }() // ends with Close
	return l.Addr().String(), func() { _ = s.Close() }, nil
}

// readyz answers 200 after recovery and the first answer of all sources.
func readyz(w http.ResponseWriter, j *engine.Job) {
	type reply struct {
		Ready  bool   `json:"ready"`
		State  string `json:"state"`
		Reason string `json:"reason,omitempty"`
	}
	r := reply{State: "starting", Reason: "the pipeline is being planned"}
	if j != nil {
		s, why := j.State()
		r = reply{Ready: j.Ready() && s == engine.Running, State: s.String(), Reason: why}
		if !r.Ready && r.Reason == "" {
			r.Reason = "the job is " + s.String()
		}
	}
	w.Header().Set("Content-Type", "application/json")
	if !r.Ready {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
	_ = json.NewEncoder(w).Encode(r)
}
