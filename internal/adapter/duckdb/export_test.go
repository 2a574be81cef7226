package duckdb

// Unsorted is how many rows of observables are in no run yet.
func (h *History) Unsorted() int64 { return h.eng.seen.rows.Load() + h.eng.addresses.rows.Load() }

// HasRun says whether a run is to be made.
func (h *History) HasRun() bool { return h.eng.hasRun(h.cfg.RunRows) }
