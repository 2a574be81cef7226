package duckdb

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/aspis-platform/aspis/internal/monitor"
	"github.com/aspis-platform/aspis/internal/monitor/monitortest"
)

func someRecords(seq uint64, n int) []monitor.Record {
	records := make([]monitor.Record, n)
	for i := range records {
		records[i] = monitortest.NewRecord("a", time.Duration(i)*time.Second, fmt.Sprintf("record %d of %d %s", i, seq, strings.Repeat("x", i)))
	}
	monitortest.Number(seq, records)
	return records
}

func TestFrameDamage(t *testing.T) {
	c, err := newFrameCodec(1)
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	dir := t.TempDir()
	a, err := openArchive(dir, 0, 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	places, _, size, err := a.write(someRecords(1, 10))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := a.read(places[0]); err != nil || cmp.Diff(someRecords(1, 10), got.records) != "" {
		t.Fatalf("read of what was written: %v", err)
	}
	if err := a.close(); err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(a.path(0))
	if err != nil || int64(len(good)) != size {
		t.Fatalf("%d bytes, want %d, %v", len(good), size, err)
	}
	for i := range good {
		bad := bytes.Clone(good)
		bad[i] ^= 0x10
		if err := os.WriteFile(a.path(0), bad, 0o600); err != nil {
			t.Fatal(err)
		}
		b, err := openArchive(dir, 0, size, 1)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := b.read(0); err == nil {
			t.Errorf("byte %d changed and nobody noticed", i)
		}
		if err := b.close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestArchiveFiles: what is not committed is written over, files turn, and a
// file that lost its end is noticed.
func TestArchiveFiles(t *testing.T) {
	dir := t.TempDir()
	a, err := openArchive(dir, 0, 0, 2)
	if err != nil {
		t.Fatal(err)
	}
	a.limit = 4000
	kept := map[place][]monitor.Record{}
	for seq := uint64(1); seq <= 40; seq++ {
		records := someRecords(seq, 1+int(seq)%200)
		places, segment, size, err := a.write(records)
		if err != nil {
			t.Fatal(err)
		}
		if seq%3 == 0 {
			continue // the transaction did not happen
		}
		a.committed(segment, size)
		for i, r := range records {
			kept[places[i]] = append(kept[places[i]], r)
		}
	}
	if a.segment < 3 {
		t.Errorf("only %d files", a.segment+1)
	}
	segment, size := a.segment, a.size
	if err := a.close(); err != nil {
		t.Fatal(err)
	}
	if a, err = openArchive(dir, segment, size, 2); err != nil {
		t.Fatal(err)
	}
	for at, want := range kept {
		got, err := a.read(at)
		if err != nil || len(got.records) > frameRecords {
			t.Fatalf("frame at %x: %d records, %v", at, len(got.records), err)
		}
		if diff := cmp.Diff(want, got.records); diff != "" {
			t.Errorf("frame at %x (-want +got):\n%s", at, diff)
		}
	}
	if _, err := a.read(size + 1<<20); err == nil {
		t.Error("a frame behind the end")
	}
	if err := a.close(); err != nil {
		t.Fatal(err)
	}
	if _, err := openArchive(dir, segment, size+1<<20, 2); err == nil {
		t.Error("a file that is too short was opened")
	}
}

func TestNeedle(t *testing.T) {
	f := frame{raw: []byte("AlphaBETA銀行ÉT1.2.3.4")}
	f.records = []monitor.Record{
		{Number: 1, Raw: f.raw[:5]}, {Number: 2, Raw: f.raw[5:9]}, {Number: 3, Raw: f.raw[9:]},
	}
	before := string(f.raw)
	for text, want := range map[string][]int64{
		"": {1, 2, 3}, "alpha": {1}, "A": {1, 2}, "abe": nil, "beta銀": nil, "銀": {3}, "ét1": {3}, "2.3": {3}, "行É": {3}, "z": nil,
	} {
		rows := []row{{number: 3}, {number: 1}, {number: 2}, {number: 9}}
		out := make([]*monitor.Record, len(rows))
		f.pick(rows, []int{0, 1, 2, 3}, newNeedle(text), out)
		found := map[int64]bool{}
		for i, r := range out {
			if r != nil {
				found[r.Number] = true
				if r.Number != rows[i].number {
					t.Errorf("%q: record %d in the place of %d", text, r.Number, rows[i].number)
				}
			}
		}
		expected := map[int64]bool{}
		for _, n := range want {
			expected[n] = true
		}
		if diff := cmp.Diff(expected, found); diff != "" {
			t.Errorf("%q (-want +got):\n%s", text, diff)
		}
	}
	if string(f.raw) != before {
		t.Error("looking changed the records")
	}
}

// FuzzReadFrame is for what is behind the checksum.
func FuzzReadFrame(f *testing.F) {
	plain := []byte{2}
	for _, r := range someRecords(1, 2) {
		plain = putHead(plain, &r)
	}
	f.Add(append(plain, "record 0 of 1 record 1 of 1 x"...))
	f.Add([]byte{0})
	f.Add([]byte{255, 255, 3})
	f.Fuzz(func(t *testing.T, plain []byte) {
		got, err := readFrame(plain)
		if err != nil {
			return
		}
		size := 0
		for _, r := range got.records {
			size += len(r.Raw)
		}
		if size != len(got.raw) {
			t.Errorf("raw bytes of %d, records of %d", len(got.raw), size)
		}
	})
}

func TestFrameReaderErrors(t *testing.T) {
	if _, err := readFrame([]byte{5, 1}); !errors.Is(err, errFrame) {
		t.Errorf("cut off: %v", err)
	}
}

func TestLowerASCII(t *testing.T) {
	for start := range 9 {
		for length := range 20 {
			for first := range 256 {
				text := make([]byte, start+length)
				for i := range text {
					text[i] = byte(first + 37*i)
				}
				want := bytes.Clone(text)
				for i, c := range want[start:] {
					if 'A' <= c && c <= 'Z' {
						want[start+i] = c - 'A' + 'a'
					}
				}
				if lowerASCII(text[start:]); !bytes.Equal(text, want) {
					t.Fatalf("lowerASCII from %d of %d: %q, want %q", start, length, text, want)
				}
			}
		}
	}
}

func BenchmarkLook(b *testing.B) {
	a, err := openArchive(b.TempDir(), 0, 0, 1)
	if err != nil {
		b.Fatal(err)
	}
	defer a.close()
	records := make([]monitor.Record, frameRecords)
	for i := range records {
		records[i] = monitortest.NewRecord("a", time.Duration(i), strings.Repeat(fmt.Sprintf(`{"Field%d":"Some Value %d"}`, i*7, i*i*31), 40))
	}
	monitortest.Number(1, records)
	places, _, _, err := a.write(records)
	if err != nil {
		b.Fatal(err)
	}
	rows := make([]row, len(records))
	for i, r := range records {
		rows[i] = row{number: r.Number, place: places[i]}
	}
	e := &engine{archive: a, threads: 1}
	for b.Loop() {
		if _, err := e.fetch(b.Context(), rows, newNeedle("Not In There")); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N*len(records))/b.Elapsed().Seconds(), "records/s")
}
