package natsbus

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/aspis-platform/aspis/internal/monitor/monitortest"
)

func TestCodecDamage(t *testing.T) {
	c, err := newCodec(1)
	if err != nil {
		t.Fatal(err)
	}
	defer c.close()
	good := c.encode(monitortest.NewBatch(3, 20))
	if got, err := c.decode(monitortest.NewBatch(3, 0).ID, good); err != nil || cmp.Diff(monitortest.NewBatch(3, 20), got) != "" {
		t.Fatalf("decode of what was encoded: %v", err)
	}
	for i := range good {
		bad := bytes.Clone(good)
		bad[i] ^= 0x20
		if _, err := c.decode("", bad); err == nil {
			t.Errorf("byte %d changed and nobody noticed", i)
		}
		if _, err := c.decode("", good[:i]); err == nil {
			t.Errorf("cut off at %d and nobody noticed", i)
		}
	}
}

// FuzzReadPlain is for the part behind the checksum: a payload written by a
// broken or later program must give an error, not a panic or much memory.
func FuzzReadPlain(f *testing.F) {
	f.Add([]byte{2, 1, 'm', 1, 1, 2, 'x'})
	f.Add([]byte{2, 1, 'm', 2, 1, 2, 0, 2, 'x'})
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, plain []byte) {
		b, err := readPlain("", plain)
		if err != nil {
			return
		}
		if len(b.Lines) != len(b.Numbers) {
			t.Errorf("%d lines, %d numbers", len(b.Lines), len(b.Numbers))
		}
	})
}
