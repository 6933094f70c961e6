package main

import (
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"time"

	"elsom/static"
	pages "elsom/templates/sochipage"
)

// server is the stand-in.
type server struct {
	books    *books
	switches *switches
	now      func() time.Time
	stopped  chan struct{}
	stop     func()
}

func newServer(b *books, now func() time.Time) *server {
	stopped := make(chan struct{})
	return &server{
		books: b, now: now,
		switches: &switches{set: map[switchKey]behavior{}},
		stopped:  stopped,
		stop:     sync.OnceFunc(func() { close(stopped) }),
	}
}

// maxBody limits requests, in bytes.
const maxBody = 64 << 10

// handler routes the provider of each service and the pages. Forms from other sites
// are refused, since a browser on this machine could be made to send them.
func (h *server) handler() http.Handler {
	mux := http.NewServeMux()
	for _, s := range services {
		mux.HandleFunc("GET "+s.path, h.provider(s))
		mux.HandleFunc("POST "+s.path, h.provider(s))
	}
	mux.HandleFunc("GET /{$}", h.front)
	mux.HandleFunc("GET /companies", h.find)
	mux.HandleFunc("GET /companies/{account}", h.company)
	mux.HandleFunc("GET /contracts/{service}/{account}", h.contract)
	mux.HandleFunc("POST /switches", h.setSwitches)
	mux.HandleFunc("GET /healthz", h.health)
	mux.HandleFunc("GET "+pages.Style, h.style)
	mux.Handle(static.Prefix, static.Handler())
	mux.HandleFunc("/", h.notFound)
	return http.NewCrossOriginProtection().Handler(secureHeaders(mux))
}

// policy allows our own styles, fonts and images, and no scripts.
const policy = "default-src 'none'; style-src 'self'; img-src 'self' data:; font-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

func secureHeaders(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Content-Security-Policy", policy)
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("Referrer-Policy", "same-origin")
		header.Set("Cache-Control", "no-store")
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		next.ServeHTTP(w, r)
	})
}

func (h *server) health(w http.ResponseWriter, r *http.Request) {
	if err := h.books.ping(r.Context()); err != nil {
		http.Error(w, "the database can't be reached", http.StatusServiceUnavailable)
		return
	}
	_, _ = w.Write([]byte("ok\n"))
}

// wantsJSON reports whether the client asks for JSON.
func wantsJSON(r *http.Request) bool {
	return strings.Contains(r.Header.Get("Accept"), "application/json")
}

func writeJSON(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Vary", "Accept")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(value)
}
