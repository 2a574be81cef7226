package evtx

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// three returns a file of two chunks with three records, and where the records
// are in it.
func three() (data []byte, at [3]int) {
	a, b := newChunk(), newChunk()
	at[0] = fileHeaderSize + a.record(1, sysmon(1, "1", ""))
	at[1] = fileHeaderSize + a.record(2, sysmon(2, "2", ""))
	at[2] = fileHeaderSize + chunkSize + b.record(3, sysmon(3, "3", ""))
	return file(a.chunk(), b.chunk()), at
}

// TestDamage: what is damaged is named, and the rest is read.
func TestDamage(t *testing.T) {
	put := binary.LittleEndian.PutUint32
	tests := map[string]struct {
		damage func(data []byte, at [3]int) []byte
		images string   // of the records that are left
		faults []string // each in the fault of its rank
	}{
		"none":               {func(d []byte, _ [3]int) []byte { return d }, "123", nil},
		"unused chunk":       {func(d []byte, _ [3]int) []byte { return append(d, make([]byte, chunkSize)...) }, "123", nil},
		"not a log":          {func([]byte, [3]int) []byte { return []byte("hello") }, "", []string{"file header, byte 0: this is no event log file"}},
		"nothing":            {func([]byte, [3]int) []byte { return nil }, "", []string{"signature is missing"}},
		"cut in its header":  {func(d []byte, _ [3]int) []byte { return d[:1000] }, "", []string{"byte 1000: the file ends within its header"}},
		"cut in a chunk":     {func(d []byte, at [3]int) []byte { return d[:at[1]+100] }, "1", []string{"chunk 0, byte", "a record's size is wrong"}},
		"cut between chunks": {func(d []byte, _ [3]int) []byte { return d[:fileHeaderSize+chunkSize+100] }, "12", []string{"chunk 1, byte 69732: the file ends within the header of this chunk"}},
		"file checksum":      {func(d []byte, _ [3]int) []byte { d[30] ^= 1; return d }, "123", []string{"the checksum of the file header is wrong"}},
		"chunk checksum":     {func(d []byte, _ [3]int) []byte { d[fileHeaderSize+9] ^= 1; return d }, "123", []string{"chunk 0, byte 4220: the checksum of this chunk's header"}},
		"records checksum": {
			func(d []byte, at [3]int) []byte { d[at[0]+9] ^= 1; return d }, "123",
			[]string{"chunk 0, byte 4148: the checksum of this chunk's records"},
		},
		"checksums that need not hold": {func(d []byte, at [3]int) []byte {
			d[at[0]+9] ^= 1
			d[fileHeaderSize+chunkFlagsAt] = noCRCFlag
			return d
		}, "123", nil},
		"chunk signature": {func(d []byte, _ [3]int) []byte { d[fileHeaderSize] ^= 1; return d }, "123", []string{"chunk 0, byte 4096: this is no chunk"}},
		"chunk of something else": {func(d []byte, _ [3]int) []byte {
			for i := range chunkSize {
				d[fileHeaderSize+i] = byte(i)
			}
			return d
		}, "3", []string{"chunk 0, byte 4096: this is no chunk"}},
		"record signature": {
			func(d []byte, at [3]int) []byte { d[at[0]] ^= 1; return dirty(d) }, "23",
			[]string{fmt.Sprintf("chunk 0, byte %d: a record has no signature", fileHeaderSize+chunkHeaderSize)},
		},
		"size of a record": {
			func(d []byte, at [3]int) []byte { put(d[at[1]+4:], 1<<31); return dirty(d) }, "13",
			[]string{"a record's size is wrong"},
		},
		"copy of the size": {
			func(d []byte, at [3]int) []byte { put(d[at[1]-4:], 0); return dirty(d) }, "23",
			[]string{"a record's size differs from its copy at the end"},
		},
		"zeroes for a chunk's header": {func(d []byte, _ [3]int) []byte { clear(d[fileHeaderSize:][:chunkHeaderSize]); return d }, "123", []string{"chunk 0, byte 4096: this is no chunk"}},
		"zeroes for a record, with the template of the next in it": {
			func(d []byte, at [3]int) []byte { clear(d[at[0]:at[1]]); return dirty(d) }, "3",
			[]string{"chunk 0, byte 4608: there are zeroes between records", "a record is empty"},
		},
		"zeroes behind the records": {func(d []byte, at [3]int) []byte {
			put(d[fileHeaderSize+freeSpaceAt:], chunkSize) // as in archived logs
			return dirty(d)
		}, "123", nil},
		"header that is older than the records": {func(d []byte, at [3]int) []byte {
			put(d[fileHeaderSize+freeSpaceAt:], uint32(at[1]-fileHeaderSize))
			return dirty(d)
		}, "123", nil},
		"records of an earlier use": {func(d []byte, at [3]int) []byte {
			put(d[fileHeaderSize+freeSpaceAt:], uint32(at[1]-fileHeaderSize))
			d[at[1]+8] = 7
			return dirty(d)
		}, "13", nil},
		"end within a record": {func(d []byte, at [3]int) []byte {
			put(d[fileHeaderSize+freeSpaceAt:], uint32(at[1]-fileHeaderSize+100))
			return dirty(d)
		}, "123", nil},
		"no checksum of the file": {func(d []byte, _ [3]int) []byte { d[30] ^= 1; d[fileFlagsAt] = noCRCFlag; return d }, "123", nil},
		"counts of the file":      {func(d []byte, _ [3]int) []byte { clear(d[8:36]); clear(d[42:44]); return recount(d) }, "123", nil},
		"file of version 3.2":     {func(d []byte, _ [3]int) []byte { d[36] = 2; return recount(d) }, "123", nil},
		"chunks out of order": {func(d []byte, _ [3]int) []byte {
			first, second := d[fileHeaderSize:][:chunkSize], d[fileHeaderSize+chunkSize:]
			return slices.Concat(d[:fileHeaderSize], second, first)
		}, "312", nil},
		"unused chunk between": {func(d []byte, _ [3]int) []byte {
			return slices.Concat(d[:fileHeaderSize+chunkSize], make([]byte, 2*chunkSize), d[fileHeaderSize+chunkSize:])
		}, "123", nil},
		"free space": {func(d []byte, _ [3]int) []byte {
			put(d[fileHeaderSize+freeSpaceAt:], 1<<30)
			return dirty(d)
		}, "123", nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			data, at := three()
			got, faults := read(t, tt.damage(data, at), Limits{})
			images := ""
			for _, r := range got {
				_, after, _ := strings.Cut(r, `"Image":"`)
				images += after[:1]
			}
			if images != tt.images || len(faults) != len(tt.faults) {
				t.Fatalf("records %q, want %q, faults %q", images, tt.images, faults)
			}
			for i, want := range tt.faults {
				if !strings.Contains(faults[i], want) {
					t.Errorf("fault %d is %q, want %q", i, faults[i], want)
				}
			}
		})
	}
}

// TestTruncated: wherever a file ends, what is whole before that is read.
func TestTruncated(t *testing.T) {
	data, at := three()
	second := at[1] + int(binary.LittleEndian.Uint32(data[at[1]+4:]))
	whole, _ := read(t, data, Limits{})
	for n := range second + 100 {
		want := 0
		for _, end := range []int{at[1], second} {
			if n >= end {
				want++
			}
		}
		got, faults := read(t, data[:n], Limits{})
		if !cmp.Equal(got, whole[:want:want], cmpopts.EquateEmpty()) || len(faults) == 0 && n != fileHeaderSize {
			t.Fatalf("cut at %d: %d records, faults %q", n, len(got), faults)
		}
	}
}

// TestFlipped: wherever a bit of a chunk is wrong, that is said, and the next
// chunk is read.
func TestFlipped(t *testing.T) {
	data, at := three()
	whole, _ := read(t, data, Limits{})
	end := at[1] + int(binary.LittleEndian.Uint32(data[at[1]+4:]))
	for i := fileHeaderSize; i < end; i++ {
		data[i] ^= 1 << (i % 8)
		got, faults := read(t, data, Limits{})
		if len(got) == 0 || got[len(got)-1] != whole[2] || len(got) > 3 || len(faults) == 0 && !uncounted(i) {
			t.Fatalf("byte %d: %d records, faults %q", i, len(got), faults)
		}
		data[i] ^= 1 << (i % 8)
	}
}

// uncounted says whether no checksum is of a byte of the first chunk's header: its
// flags, with which none need hold.
func uncounted(i int) bool { return i >= fileHeaderSize+chunkFlagsAt && i < fileHeaderSize+checksumAt }

// dirty marks a file as one whose checksums need not hold.
func dirty(data []byte) []byte {
	data[fileFlagsAt] = dirtyFlag
	return data
}

// recount makes the checksum of the file header right.
func recount(data []byte) []byte {
	binary.LittleEndian.PutUint32(data[checksumAt:], crc32.ChecksumIEEE(data[:headerCRCFirst]))
	return data
}

// TestHostile: files that would cost much to read do not.
func TestHostile(t *testing.T) {
	long := strings.Repeat("x", 10_000)
	deep := xml(text("x"))
	for range 40 {
		deep = el{"e", nil, []xml{deep}}
	}
	wide := el{"e", nil, nil}
	for range 1000 {
		wide.children = append(wide.children, sub(0), sub(0))
	}
	tests := map[string]struct {
		file  []byte
		fault string
	}{
		"nested too deep":           {one(fragmentOf{deep}), "elements are nested too deep"},
		"one value many times":      {one(fragmentOf{inst{template: "x", body: wide, values: []val{str(long)}}}), tooLarge},
		"template that is its own":  {selfish(), "nested too deep"},
		"value that is not there":   {one(fragmentOf{inst{template: "x", body: el{"e", nil, []xml{sub(7)}}}}), "does not have"},
		"unknown token":             {one(raw{0x30}), "an unknown token"},
		"nothing in it":             {one(fragmentOf{}), "a record is empty"},
		"name outside":              {one(raw{tokenOpenStart, 0xff, 0xff, 9, 0, 0, 0, 0xff, 0xff, 0xff, 0x7f}), "a name lies outside"},
		"template outside":          {one(raw{tokenTemplate, 1, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0x7f}), "a template lies outside"},
		"more values than room":     {one(crowded), "more values than"},
		"start tag without end":     {one(fragmentOf{raw{tokenOpenStart, 0xff, 0xff, 9, 0, 0, 0, 8, 0, 0, 0, 0x30}}), ""},
		"text goes beyond its size": {one(fragmentOf{el{"e", nil, []xml{raw{tokenValue, 1, 0xff, 0x7f}}}}), "a text goes beyond"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, faults := read(t, tt.file, Limits{})
			if len(got) != 0 || len(faults) != 1 || !strings.Contains(faults[0], tt.fault) || !strings.Contains(faults[0], "chunk 0, byte ") {
				t.Errorf("%d records, faults %q, want %q", len(got), faults, tt.fault)
			}
		})
	}
}

// raw is bytes as they are.
type raw []byte

func (r raw) write(w *chunkWriter) { w.bytes(r...) }

// crowded is an instance of an empty template that claims 2³²−1 values. The
// template stands where its offset says, behind it: at 546 in the chunk.
var crowded = append(append(raw{tokenTemplate, 1, 0, 0, 0, 0, 0x22, 2, 0, 0}, make([]byte, 20)...), 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff)

// selfish has a template that has an instance of itself in it, twice.
func selfish() []byte {
	w := newChunk()
	w.templates["self"] = chunkHeaderSize + 24 + 4 + 10 // where the one below will stand
	self := inst{template: "self"}
	w.record(1, fragmentOf{inst{template: "outer", body: el{"e", nil, []xml{self, self}}}})
	return file(w.chunk())
}

// TestChunkLimit: many small records that refer to one large template do not
// become a flood.
func TestChunkLimit(t *testing.T) {
	w := newChunk()
	body := el{"e", nil, []xml{text(strings.Repeat("x", 10_000))}}
	for id := range uint64(500) {
		w.record(id, fragmentOf{inst{template: "x", body: body}})
	}
	whole, faults := read(t, file(w.chunk()), Limits{})
	if len(whole) != 500 || len(faults) > 0 {
		t.Fatalf("%d records, faults %v", len(whole), faults)
	}
	got, faults := read(t, file(w.chunk(), w.chunk()), Limits{MaxRecord: 50_000, MaxChunk: 1_000_000})
	if len(got) < 90 || len(got) > 100 || len(faults) != 2 || !strings.Contains(faults[0], "passed over") {
		t.Errorf("%d records, faults %v", len(got), faults)
	}
}
