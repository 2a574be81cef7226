package monitor

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/aspis-platform/aspis/internal/platform/errs"
)

// DoorLimits bounds what one request may cost. Zero fields take the default.
type DoorLimits struct {
	MaxBody  int           // decompressed bytes of a request; default 16 MiB
	MaxLine  int           // bytes of a line; default 1 MiB
	MaxLines int           // lines of a request; default and at most MaxBatchLines
	MaxRatio int           // decompressed to compressed, beyond 1 MiB; default 500
	MaxHeld  int64         // decompressed bytes held by all requests; default 256 MiB
	Patience time.Duration // longest wait for the next bytes; default 10 s
	Whole    time.Duration // longest time to send a body; default 60 s
}

func (l DoorLimits) withDefaults() DoorLimits {
	fill(&l.MaxBody, 16<<20)
	fill(&l.MaxLine, 1<<20)
	fill(&l.MaxLines, MaxBatchLines)
	fill(&l.MaxRatio, 500)
	fill(&l.MaxHeld, 256<<20)
	fill(&l.Patience, 10*time.Second)
	fill(&l.Whole, time.Minute)
	l.MaxLines = min(l.MaxLines, MaxBatchLines)
	return l
}

func fill[T int | int64 | time.Duration](v *T, def T) {
	if *v <= 0 {
		*v = def
	}
}

// bodyReader reads request bodies within the limits.
type bodyReader struct {
	limits DoorLimits
	held   atomic.Int64
}

// body is a request's decompressed bytes; release gives their room back.
type body struct {
	bytes   []byte
	release func()
}

// read takes the whole body in, decompressed. Errors are *errs.Error.
func (b *bodyReader) read(w http.ResponseWriter, r *http.Request) (body, error) {
	if r.ContentLength > int64(b.limits.MaxBody) {
		return body{}, b.tooLarge()
	}
	wire := &countingReader{in: r.Body, max: int64(b.limits.MaxBody), before: b.patience(w)}
	plain, closeIt, err := decoder(r.Header.Values("Content-Encoding"), wire)
	if err != nil {
		return body{}, b.explain(err)
	}
	defer closeIt()
	return b.fillBuffer(r.Context(), plain, wire)
}

// patience moves the connection's read deadline on before every read, up to
// the limit for the whole body.
func (b *bodyReader) patience(w http.ResponseWriter) func() {
	ctl := http.NewResponseController(w)
	last := time.Now().Add(b.limits.Whole)
	return func() {
		next := time.Now().Add(b.limits.Patience)
		if next.After(last) {
			next = last
		}
		_ = ctl.SetReadDeadline(next) // a recorder in a test has none
	}
}

const growBy = 256 << 10

func (b *bodyReader) fillBuffer(ctx context.Context, in io.Reader, wire *countingReader) (body, error) {
	var buf bytes.Buffer
	var held int64
	release := func() { b.held.Add(-held) }
	for {
		if err := ctx.Err(); err != nil {
			release()
			return body{}, b.explain(err)
		}
		if b.held.Add(growBy) > b.limits.MaxHeld {
			held += growBy
			release()
			e := errs.New(errs.Unavailable, "door.busy")
			e.RetryAfter = time.Second
			return body{}, e
		}
		held += growBy
		n, err := io.CopyN(&buf, in, growBy)
		switch {
		case buf.Len() > b.limits.MaxBody:
			err = b.tooLarge()
		case buf.Len() > 1<<20 && int64(buf.Len()) > wire.n*int64(b.limits.MaxRatio):
			err = errs.New(errs.TooLarge, "door.ratio", strconv.Itoa(b.limits.MaxRatio))
		case n < growBy && errors.Is(err, io.EOF):
			return body{bytes: buf.Bytes(), release: release}, nil
		}
		if err != nil {
			release()
			return body{}, b.explain(err)
		}
	}
}

func (b *bodyReader) tooLarge() *errs.Error {
	return errs.New(errs.TooLarge, "door.body_too_large", strconv.Itoa(b.limits.MaxBody>>20))
}

// explain names the sender's mistake; every failure here is one.
func (b *bodyReader) explain(err error) error {
	if _, ok := errors.AsType[*errs.Error](err); ok {
		return err
	}
	var timeout interface{ Timeout() bool }
	switch {
	case errors.Is(err, errWireTooLong):
		return b.tooLarge()
	case errors.As(err, &timeout) && timeout.Timeout():
		return errs.New(errs.Invalid, "door.too_slow").Because(err)
	case errors.Is(err, errEncoding):
		return errs.New(errs.Invalid, "door.encoding").Because(err)
	}
	return errs.New(errs.Invalid, "door.unreadable").Because(err)
}

var (
	errEncoding    = errors.New("content encoding is not known")
	errWireTooLong = errors.New("compressed body is too long")
)

// decoder undoes the Content-Encoding (RFC 9110 section 8.4), one at most.
func decoder(encodings []string, in io.Reader) (io.Reader, func(), error) {
	encoding := strings.ToLower(strings.TrimSpace(strings.Join(encodings, ",")))
	switch encoding {
	case "", "identity":
		return in, func() {}, nil
	case "gzip", "x-gzip":
		z, err := gzip.NewReader(in)
		if err != nil {
			return nil, nil, fmt.Errorf("gzip: %w", err)
		}
		return z, func() { _ = z.Close() }, nil
	case "zstd":
		z, err := zstd.NewReader(in, zstd.WithDecoderConcurrency(1),
			zstd.WithDecoderMaxWindow(8<<20), zstd.WithDecoderMaxMemory(64<<20))
		if err != nil {
			return nil, nil, fmt.Errorf("zstd: %w", err)
		}
		return z, z.Close, nil
	}
	return nil, nil, errEncoding
}

// countingReader bounds and counts what comes over the wire.
type countingReader struct {
	in     io.Reader
	n, max int64
	before func()
}

func (c *countingReader) Read(p []byte) (int, error) {
	if c.n > c.max {
		return 0, errWireTooLong
	}
	c.before()
	n, err := c.in.Read(p)
	c.n += int64(n)
	return n, err
}
