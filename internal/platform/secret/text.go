package secret

import (
	"fmt"
	"log/slog"
)

// Text is a secret in memory. It shows itself to nobody who does not ask with
// Reveal: not to fmt, slog, or an encoder.
type Text string

// Redacted is what is shown in place of a secret.
const Redacted = "[secret]"

// Reveal is the secret itself.
func (t Text) Reveal() string { return string(t) }

// Format implements fmt.Formatter for every verb.
func (t Text) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(Redacted)) }

// String implements fmt.Stringer.
func (t Text) String() string { return Redacted }

// LogValue implements slog.LogValuer.
func (t Text) LogValue() slog.Value { return slog.StringValue(Redacted) }

// MarshalText implements encoding.TextMarshaler, also for JSON.
func (t Text) MarshalText() ([]byte, error) { return []byte(Redacted), nil }
