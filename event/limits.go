package event

import "fmt"

// Limits bounds what one record may cost. A zero field takes its default.
type Limits struct {
	MaxBytes  int // length of one record in bytes; default 1 MiB
	MaxDepth  int // nesting of objects and lists; default 32
	MaxFields int // values of any kind in one record; default 10,000
}

// Defaults of [Limits], and the bounds that hold whatever a caller asks for.
const (
	DefaultMaxBytes  = 1 << 20
	DefaultMaxDepth  = 32
	DefaultMaxFields = 10_000

	hardMaxBytes    = 1 << 28 // offsets are uint32 and unescaped text lies behind the record
	hardMaxDepth    = 1000
	maxKeyBytes     = 1<<16 - 1
	maxNumberDigits = 512
)

func (l Limits) withDefaults() Limits {
	if l.MaxBytes <= 0 {
		l.MaxBytes = DefaultMaxBytes
	}
	if l.MaxDepth <= 0 {
		l.MaxDepth = DefaultMaxDepth
	}
	if l.MaxFields <= 0 {
		l.MaxFields = DefaultMaxFields
	}
	l.MaxBytes = min(l.MaxBytes, hardMaxBytes)
	l.MaxDepth = min(l.MaxDepth, hardMaxDepth)
	return l
}

// The reasons a record is refused, as reported to its sender line by line.
const (
	ReasonEmpty         = "empty"           // no bytes but white space
	ReasonTooLarge      = "too_large"       // longer than Limits.MaxBytes
	ReasonTooDeep       = "too_deep"        // nested beyond Limits.MaxDepth
	ReasonTooManyFields = "too_many_fields" // more values than Limits.MaxFields
	ReasonNotUTF8       = "not_utf8"        // not UTF-8 text
	ReasonControlChar   = "control_char"    // a NUL or other raw control character
	ReasonBadJSON       = "bad_json"        // begins like JSON but is not
	ReasonNotObject     = "not_object"      // JSON, but a list or a scalar
	ReasonKeyTooLong    = "key_too_long"    // a member name over 65,535 bytes
	ReasonNumberTooLong = "number_too_long" // a number literal over 512 bytes
	ReasonTrailing      = "trailing_data"   // more after the record's end
)

// DecodeError says why a record was refused and at which byte.
type DecodeError struct {
	Reason string // one of the Reason constants
	Offset int    // byte offset into the record
}

// Error implements error.
func (e *DecodeError) Error() string {
	return fmt.Sprintf("decode record: %s at byte %d", e.Reason, e.Offset)
}

func refuse(reason string, offset int) error {
	return &DecodeError{Reason: reason, Offset: offset}
}
