package seal

import (
	"bytes"
	"errors"
	"testing"

	"pgregory.net/rapid"
)

func TestSealRoundTrip(t *testing.T) {
	s, err := New(bytes.Repeat([]byte{7}, KeySize), "test")
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		plain := rapid.SliceOf(rapid.Byte()).Draw(t, "plain")
		token := s.Seal(plain)
		if token != s.Seal(plain) {
			t.Fatal("equal plaintexts gave different tokens")
		}
		got, err := s.Open(token)
		if err != nil || !bytes.Equal(got, plain) {
			t.Fatalf("Open = %x, %v; want %x", got, err, plain)
		}
	})
}

func TestOpenRefuses(t *testing.T) {
	key := bytes.Repeat([]byte{7}, KeySize)
	ours, _ := New(key, "ours")
	other, _ := New(key, "other")
	token := []byte(ours.Seal([]byte("place")))
	token[len(token)/2] ^= 1
	for name, bad := range map[string]string{
		"empty": "", "not base64": "!!", "short": "AAAA",
		"another purpose": other.Seal([]byte("place")), "one bit changed": string(token),
	} {
		if _, err := ours.Open(bad); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: err = %v, want ErrInvalid", name, err)
		}
	}
}
