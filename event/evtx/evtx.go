// Package evtx reads Windows event log files (.evtx) and yields their records
// as JSON, nested as in the XML of the event: what package event decodes.
//
//	r := evtx.NewReader(file, evtx.Limits{})
//	for {
//		rec, err := r.Next()
//		if err == io.EOF {
//			break
//		}
//		var broken *evtx.Error
//		if errors.As(err, &broken) {
//			continue // says what could not be read; the rest goes on
//		}
//		…
//	}
//
// A file is a header of 4 KiB and chunks of 64 KiB that stand alone: each has
// the names and templates that its own records refer to. The reader holds one
// chunk, reads its source once from front to back, and trusts nothing in it:
// every offset is checked, and the work that a record or chunk may cause is
// bounded. What is damaged is reported with its chunk and offset, and reading
// goes on with the next record or chunk.
//
// A copy of a log that was being written to is read as far as its records go,
// whatever its headers say: counts, order and use of chunks are not looked at,
// and records beyond those that a chunk's header knows of are found by their
// numbers.
//
// Values are written as Windows renders them in an event's XML ([MS-EVEN6]
// sections 2.2.12.3 and 3.1.4.7.3), which is what rules are written for:
//
//	integers          decimal; a number in JSON
//	hexadecimal       0x and lower-case digits without leading zeroes: logon and
//	and sizes         process identifiers of Security, keywords, status codes
//	booleans          true, false
//	real numbers      the shortest that reads back; a number in JSON
//	identifiers       in braces, lower case
//	security ids      S-1-…
//	times             ISO 8601 in UTC; of FILETIME with seven decimals, as later
//	                  versions of Windows write it: earlier ones wrote nine
//	binary            hexadecimal, upper case, without spaces
//	arrays            the element once for each item: a list
//	null              nothing: the element that depends on it and the attribute
//	                  that it is optional in are left out, other elements empty
//
// Sources: [MS-EVEN6] section 2.2.12, BinXml, and 3.1.4.7; J. Metz, "Windows XML
// Event Log (EVTX) format" (libevtx documentation, sections 2 to 4); for what
// neither says, others' measurements of real files (fjacquet/go-evtx, notes on
// the format): that empty texts are null, which chunks have which flags.
package evtx

import "fmt"

// Limits bounds what reading may cost. A zero field takes its default.
type Limits struct {
	MaxRecord int // bytes of JSON of one record; default 1 MiB
	MaxChunk  int // bytes that all records of one chunk may cost; default 16 MiB
}

const (
	maxDepth  = 32     // nesting of elements and of templates within values
	maxTokens = 50_000 // of one record
)

func (l Limits) withDefaults() Limits {
	if l.MaxRecord <= 0 {
		l.MaxRecord = 1 << 20
	}
	if l.MaxChunk <= 0 {
		l.MaxChunk = 16 << 20
	}
	return l
}

// Record is one event.
type Record struct {
	ID     uint64 // its number in the log
	Chunk  int    // that it lies in, from 0
	Offset int64  // in the file, in bytes
	JSON   []byte // one line, valid until the next call of Next
}

// Error says what could not be read and where. Reading may go on.
type Error struct {
	Chunk  int   // from 0; -1 for the file header
	Offset int64 // in the file, in bytes
	Reason string
}

// Error implements error.
func (e *Error) Error() string {
	if e.Chunk < 0 {
		return fmt.Sprintf("file header, byte %d: %s", e.Offset, e.Reason)
	}
	return fmt.Sprintf("chunk %d, byte %d: %s", e.Chunk, e.Offset, e.Reason)
}

// fault is what is wrong at an offset of the chunk.
type fault struct {
	at     int
	reason string
}

func (f *fault) Error() string { return fmt.Sprintf("%s at %d", f.reason, f.at) }
