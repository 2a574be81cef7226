package ledger_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/transparency-dev/formats/log"
	"github.com/transparency-dev/merkle/rfc6962"
	"golang.org/x/mod/sumdb/note"
	"pgregory.net/rapid"

	"github.com/aspis-platform/aspis/internal/ledger"
)

func stored() ledger.Stored {
	s := ledger.Stored{Seq: 2, At: time.UnixMicro(1_800_000_000_000_001).UTC(), Entry: ledger.Entry{
		Actor: "user:a", Action: "key.create", Object: "key:k", Member: "north-bank", Detail: `{"scopes":["taxii"]}`}}
	s.Hash = ledger.Chain("", s.Seq, s.At, s.Entry)
	return s
}

func blinder(t interface{ Fatal(...any) }) ledger.Blinder {
	b, err := ledger.NewBlinder(bytes.Repeat([]byte{3}, ledger.BlindSize))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// proven is the proof of the second of two entries, and the log's public key.
func proven(t interface{ Fatal(...any) }, withhold ...ledger.Field) (ledger.Proof, string) {
	key, err := ledger.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	signer, err := note.NewSigner(strings.TrimSpace(string(key)))
	if err != nil {
		t.Fatal(err)
	}
	vkey, err := ledger.PublicKey(key)
	if err != nil {
		t.Fatal(err)
	}
	b, s := blinder(t), stored()
	leaf := b.Leaf(s)
	h := rfc6962.DefaultHasher
	first := h.HashLeaf([]byte("the entry before"))
	cp := log.Checkpoint{Origin: signer.Name(), Size: 2, Hash: h.HashChildren(first, h.HashLeaf(leaf[:]))}
	signed, err := note.Sign(&note.Note{Text: string(cp.Marshal())}, signer)
	if err != nil {
		t.Fatal(err)
	}
	return ledger.Proof{Entry: b.Show(s, withhold...), Index: 1, Path: [][]byte{first}, Checkpoint: signed}, vkey
}

func TestProof(t *testing.T) {
	for _, withhold := range [][]ledger.Field{nil, {ledger.FieldActor, ledger.FieldChain}, ledger.Fields()} {
		p, vkey := proven(t, withhold...)
		text, err := p.Text()
		if err != nil {
			t.Fatal(err)
		}
		again, err := ledger.ParseProof(text)
		if err != nil || !cmp.Equal(p, again) {
			t.Fatalf("%v: %s", err, cmp.Diff(p, again))
		}
		if cp, err := again.Verify(vkey); err != nil || cp.Size != 2 {
			t.Errorf("without %v: %+v, %v", withhold, cp, err)
		}
		for _, f := range again.Entry.Fields {
			if f.Withheld() && (f.Value != "" || len(f.Salt) > 0) {
				t.Errorf("%s is withheld, and told", f.Name)
			}
		}
	}
}

// Whatever is changed in a proof's text, it is refused, or says the same.
func TestChangedProof(t *testing.T) {
	p, vkey := proven(t, ledger.FieldActor)
	text, err := p.Text()
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		changed := bytes.Clone(text)
		at := rapid.IntRange(0, len(text)-1).Draw(t, "at")
		changed[at] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
		again, err := ledger.ParseProof(changed)
		if err == nil {
			_, err = again.Verify(vkey)
		}
		if err == nil && !cmp.Equal(again.Entry, p.Entry) {
			t.Fatalf("byte %d changed %q, and the proof holds", at, text[at])
		}
	})
}

func TestProofOfAnother(t *testing.T) {
	p, vkey := proven(t)
	other, otherKey := proven(t)
	tests := map[string]struct {
		change func(*ledger.Proof)
		key    string
		want   error
	}{
		"another key":        {func(*ledger.Proof) {}, otherKey, ledger.ErrCheckpoint},
		"another checkpoint": {func(p *ledger.Proof) { p.Checkpoint = other.Checkpoint }, vkey, ledger.ErrCheckpoint},
		"another value":      {func(p *ledger.Proof) { p.Entry.Fields[1].Value = "user:b" }, vkey, ledger.ErrNotInLog},
		"another place":      {func(p *ledger.Proof) { p.Index = 0 }, vkey, ledger.ErrNotInLog},
		"another number":     {func(p *ledger.Proof) { p.Entry.Seq, p.Index = 1, 0 }, vkey, ledger.ErrNotInLog},
		"a field too few":    {func(p *ledger.Proof) { p.Entry.Fields = p.Entry.Fields[1:] }, vkey, ledger.ErrShown},
		"no path":            {func(p *ledger.Proof) { p.Path = nil }, vkey, ledger.ErrNotInLog},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			changed := p
			changed.Entry.Fields = append([]ledger.ShownField{}, p.Entry.Fields...)
			test.change(&changed)
			if _, err := changed.Verify(test.key); !errors.Is(err, test.want) {
				t.Errorf("%v, want %v", err, test.want)
			}
		})
	}
	witness := "witness.example+00000000+AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	if _, err := p.Verify(vkey, witness); !errors.Is(err, ledger.ErrWitnessMissing) {
		t.Errorf("without the witness that is asked for: %v", err)
	}
}

// Every field is in the leaf, and equal fields of two entries look different.
func TestLeafCommitsToEveryField(t *testing.T) {
	b, s := blinder(t), stored()
	leaf := b.Leaf(s)
	for name, change := range map[string]func(*ledger.Stored){
		"seq": func(s *ledger.Stored) { s.Seq++ }, "at": func(s *ledger.Stored) { s.At = s.At.Add(time.Microsecond) },
		"actor": func(s *ledger.Stored) { s.Actor += "x" }, "action": func(s *ledger.Stored) { s.Action += "x" },
		"object": func(s *ledger.Stored) { s.Object += "x" }, "member": func(s *ledger.Stored) { s.Member += "x" },
		"detail": func(s *ledger.Stored) { s.Detail += "x" }, "hash": func(s *ledger.Stored) { s.Hash += "x" },
		"moved": func(s *ledger.Stored) { s.Actor, s.Action = s.Actor+"k", s.Action[1:] },
	} {
		changed := s
		change(&changed)
		if b.Leaf(changed) == leaf {
			t.Errorf("%s is not in the leaf", name)
		}
	}
	next := s
	next.Seq++
	one, two := b.Show(s, ledger.Fields()...), b.Show(next, ledger.Fields()...)
	for i := range one.Fields {
		if bytes.Equal(one.Fields[i].Hash, two.Fields[i].Hash) {
			t.Errorf("%s looks the same in two entries", one.Fields[i].Name)
		}
	}
}

func TestKeys(t *testing.T) {
	for range 50 {
		key, err := ledger.NewKey()
		if err != nil {
			t.Fatal(err)
		}
		vkey, err := ledger.PublicKey(key)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := note.NewVerifier(vkey); err != nil || !strings.HasPrefix(vkey, "aspis-ledger-") {
			t.Errorf("%s: %v", vkey, err)
		}
	}
	for _, bad := range []string{"", "x", "PRIVATE+KEY+a+b+c", "PRIVATE+KEY+aspis+00000000+AQ=="} {
		if _, err := ledger.PublicKey([]byte(bad)); !errors.Is(err, ledger.ErrKey) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func FuzzParseProof(f *testing.F) {
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := ledger.ParseProof(text)
		if err != nil {
			if !errors.Is(err, ledger.ErrProofForm) {
				t.Errorf("another kind of error: %v", err)
			}
			return
		}
		written, err := p.Text()
		if err != nil {
			t.Fatal(err)
		}
		again, err := ledger.ParseProof(written)
		if err != nil || !cmp.Equal(p, again) {
			t.Errorf("written and read again: %v\n%s", err, cmp.Diff(p, again))
		}
		_, _ = p.Verify("aspis-ledger-x+00000000+AQ==")
	})
}
