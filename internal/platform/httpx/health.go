package httpx

import (
	"context"
	"net/http"
	"sync"
	"time"
)

// Check is one part of the program that can be asked whether it works. Check
// returns within the context's deadline; the error is for the log and the
// health page of the centre, never for the public answer.
type Check interface {
	Name() string // a short fixed word: "stream"
	Check(ctx context.Context) error
}

// checkTime bounds one check.
const checkTime = 2 * time.Second

// Healthz answers 200 while the process can answer at all.
func Healthz() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		JSON(w, r, http.StatusOK, map[string]string{"status": "ok"})
	})
}

// Readyz answers 200 when every check passes and 503 otherwise, with the name
// and state ("ok", "down") of each. The reasons go to the log line.
func Readyz(checks ...Check) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		status, states := http.StatusOK, map[string]string{}
		for name, err := range RunChecks(r.Context(), checks) {
			states[name] = "ok"
			if err != nil {
				Note(r.Context(), err)
				states[name], status = "down", http.StatusServiceUnavailable
			}
		}
		w.Header().Set("Cache-Control", "no-store")
		JSON(w, r, status, map[string]any{"ready": status == http.StatusOK, "checks": states})
	})
}

// RunChecks asks all checks at once and returns each one's answer by name. A
// check that does not return in time counts as failed.
func RunChecks(ctx context.Context, checks []Check) map[string]error {
	ctx, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	results := make(map[string]error, len(checks))
	var mu sync.Mutex
	var wg sync.WaitGroup
	for _, c := range checks {
		wg.Go(func() {
			err := c.Check(ctx)
			mu.Lock()
			defer mu.Unlock()
			results[c.Name()] = err
		})
	}
	wg.Wait()
	return results
}
