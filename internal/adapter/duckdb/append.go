package duckdb

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"math"
	"runtime"
	"strconv"
	"strings"
	"time"

	duck "github.com/duckdb/duckdb-go/v2"

	"github.com/aspis-platform/aspis/event"
	"github.com/aspis-platform/aspis/internal/monitor"
)

const maxObservables = 256

// yieldEvery is after how many records an append lets others have the
// processor: those who wait for an answer need it for microseconds only.
const yieldEvery = 64

// Append implements [monitor.History]. DuckDB's appenders take part in the
// transaction of their connection: rows and cursor are stored together or not
// at all, and the commit returns after the write-ahead log is synced. The
// record files were synced before.
func (h *History) Append(ctx context.Context, upTo uint64, records []monitor.Record) error {
	h.writing.Lock()
	defer h.writing.Unlock()
	e, err := h.current(ctx)
	if err != nil {
		return fmt.Errorf("append: %w", err)
	}
	if err := checkRecords(e.cursor.Load(), upTo, records); err != nil {
		return fmt.Errorf("append to %d: %w", upTo, err)
	}
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("append: %w", err)
	}
	// Once begun it ends: an interrupted commit would leave it open which of
	// cursor and rows are stored.
	if err := e.append(context.WithoutCancel(ctx), upTo, records); err != nil {
		h.failing.Store(&err)
		return fmt.Errorf("append to %d: %w", upTo, err)
	}
	h.failing.Store(nil)
	e.cursor.Store(upTo)
	if len(records) > 0 {
		oldest, newest := int64(math.MaxInt64), int64(math.MinInt64)
		for _, r := range records {
			oldest, newest = min(oldest, r.At.UnixMicro()), max(newest, r.At.UnixMicro())
		}
		e.extent.grow(oldest, newest, int64(len(records)))
	}
	h.askUpkeep(e)
	return nil
}

// checkRecords refuses what is not in the stream between the two positions.
func checkRecords(cursor, upTo uint64, records []monitor.Record) error {
	if upTo <= cursor || upTo > math.MaxInt64>>16 {
		return fmt.Errorf("position is not after the cursor, %d", cursor)
	}
	last := int64(-1)
	for i := range records {
		r := &records[i]
		if seq := uint64(r.Number) >> 16; r.Number < 0 || seq <= cursor || seq > upTo || r.Number <= last {
			return fmt.Errorf("record number %d is out of order", r.Number)
		}
		if _, _, ok := splitID(r.ID); !ok {
			return fmt.Errorf("record id %q is not batch-line", r.ID)
		}
		last = r.Number
	}
	return nil
}

// splitID takes "<batch>-<line>" apart.
func splitID(id string) (batch string, line int32, ok bool) {
	batch, digits, ok := strings.Cut(id, "-")
	if !ok || batch == "" || len(batch) > 64 || len(digits) > 1 && digits[0] == '0' {
		return "", 0, false
	}
	n, err := strconv.ParseUint(digits, 10, 31)
	return batch, int32(n), err == nil
}

// append writes the records and runs the transaction. If that cannot be ended
// either way, the engine is marked to be opened again, which drops what was
// not committed.
func (e *engine) append(ctx context.Context, upTo uint64, records []monitor.Record) error {
	places, segment, size, err := e.archive.write(records)
	if err != nil {
		return err
	}
	if _, err := e.writer.ExecContext(ctx, `BEGIN`); err != nil {
		return e.fail(err)
	}
	var rows rowCounts
	err = e.writer.Raw(func(dc any) (err error) {
		rows, err = e.appendRows(dc.(driver.Conn), records, places)
		return err
	})
	if err == nil {
		_, err = e.writer.ExecContext(ctx, `UPDATE history.ingest SET upto = $1, segment = $2, size = $3`, int64(upTo), segment, size)
	}
	if err != nil {
		if _, undone := e.writer.ExecContext(ctx, `ROLLBACK`); undone != nil {
			return e.fail(errors.Join(err, undone))
		}
		return e.note(err)
	}
	if _, err := e.writer.ExecContext(ctx, `COMMIT`); err != nil {
		return e.fail(err) // perhaps stored: opening again tells
	}
	e.archive.committed(segment, size)
	e.seen.rows.Add(rows.seen)
	e.addresses.rows.Add(rows.addresses)
	return nil
}

func (e *engine) fail(err error) error {
	e.broken.Store(true)
	return err
}

// appendRows fills the four tables through one appender each.
func (e *engine) appendRows(dc driver.Conn, records []monitor.Record, places []place) (n rowCounts, err error) {
	a := &rowAppender{eng: e}
	defer func() { err = errors.Join(err, a.close()) }()
	for _, t := range []struct {
		name string
		to   **duck.Appender
	}{{"events", &a.events}, {"batches", &a.batches}, {"seen", &a.seen}, {"addresses", &a.addresses}} {
		if *t.to, err = duck.NewAppender(dc, "history", "main", t.name); err != nil {
			return n, fmt.Errorf("table %s: %w", t.name, err)
		}
	}
	for i := range records {
		if i%yieldEvery == yieldEvery-1 {
			runtime.Gosched()
		}
		if err := a.record(&records[i], places[i]); err != nil {
			return n, fmt.Errorf("record %d: %w", records[i].Number, err)
		}
	}
	return a.count, nil
}

// rowCounts is how many rows went into the tables of the observables.
type rowCounts struct{ seen, addresses int64 }

type rowAppender struct {
	eng                              *engine
	events, batches, seen, addresses *duck.Appender
	seq                              int64
	count                            rowCounts
}

func (a *rowAppender) close() error {
	var errs []error
	for _, one := range []*duck.Appender{a.events, a.batches, a.seen, a.addresses} {
		if one != nil {
			errs = append(errs, one.Close())
		}
	}
	return errors.Join(errs...)
}

func (a *rowAppender) record(r *monitor.Record, at place) error {
	batch, line, _ := splitID(r.ID)
	if seq := r.Number >> 16; seq != a.seq {
		a.seq = seq
		if err := a.batches.AppendRow(batch, seq); err != nil {
			return err
		}
	}
	err := a.events.AppendRow(r.Number, line, r.At.UnixMicro(), at, string(r.Member),
		text(r.Source.Product), text(r.Source.Category), text(r.Source.Service), text(r.Host), text(r.Account))
	if err != nil {
		return err
	}
	for _, o := range r.Observables[:min(len(r.Observables), maxObservables)] {
		if err := a.observable(r, at, o); err != nil {
			return err
		}
	}
	return nil
}

func (a *rowAppender) observable(r *monitor.Record, at place, o event.Observable) error {
	happened, member := r.At.UnixMicro(), string(r.Member)
	if isAddress(o.Kind) {
		if ip, ok := parseAddress(o.Value); ok {
			a.count.addresses++
			return a.addresses.AppendRow(ip.hi, ip.lo, r.Number, happened, at, member)
		}
	}
	row := func(value string, kind uint8) error {
		a.count.seen++
		return a.seen.AppendRow(a.eng.hash(value), kind, r.Number, happened, at, member)
	}
	err := row(o.Value, uint8(o.Kind))
	if err != nil || o.Kind != event.ObservableDomain {
		return err
	}
	parents(o.Value, func(parent string) {
		if err == nil {
			err = row(parent, kindParent)
		}
	})
	return err
}

// text is s for a column, which takes UTF-8 only. The record files keep what
// was given.
func text(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

func fromMicro(us int64) time.Time { return time.UnixMicro(us).UTC() }
