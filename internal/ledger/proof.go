package ledger

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/transparency-dev/formats/log"
	cosign "github.com/transparency-dev/formats/note"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"golang.org/x/mod/sumdb/note"
)

// Proof says that one entry is in the log that a checkpoint signs. Its text is
// the format c2sp.org/tlog-proof@v1, with the shown entry as extra data.
type Proof struct {
	Entry      Shown
	Index      uint64   // the entry's place in the log, from 0: Entry.Seq - 1
	Path       [][]byte // RFC 6962, section 2.1.1: from the leaf's sibling up
	Checkpoint []byte   // a signed note, c2sp.org/tlog-checkpoint
}

// Checkpoint is a signed state of the log.
type Checkpoint struct {
	Origin string
	Size   uint64
	Root   []byte
	// Witnesses are the names of the witnesses whose signatures were checked.
	Witnesses []string
}

// Errors of proofs and checkpoints that cannot be believed.
var (
	ErrProofForm      = errors.New("ledger: this is no proof in the format c2sp.org/tlog-proof@v1")
	ErrCheckpoint     = errors.New("ledger: the checkpoint is not signed with this key")
	ErrNotInLog       = errors.New("ledger: the entry is not in the log that the checkpoint signs")
	ErrWitnessMissing = errors.New("ledger: a witness has not signed the checkpoint")
)

// OpenCheckpoint checks a checkpoint's signature. vkey is the log's public
// key as a note verifier (c2sp.org/signed-note); witnesses are keys whose
// cosignatures must be there too.
func OpenCheckpoint(raw []byte, vkey string, witnesses ...string) (Checkpoint, error) {
	v, err := note.NewVerifier(vkey)
	if err != nil {
		return Checkpoint{}, fmt.Errorf("ledger: the public key %q: %w", vkey, err)
	}
	var cosigners []note.Verifier
	for _, w := range witnesses {
		c, err := cosign.NewVerifierForCosignatureV1(w)
		if err != nil {
			return Checkpoint{}, fmt.Errorf("ledger: the witness's key %q: %w", w, err)
		}
		cosigners = append(cosigners, c)
	}
	cp, _, n, err := log.ParseCheckpoint(raw, v.Name(), v, cosigners...)
	if err != nil {
		return Checkpoint{}, fmt.Errorf("%w: %w", ErrCheckpoint, err)
	}
	opened := Checkpoint{Origin: cp.Origin, Size: cp.Size, Root: cp.Hash}
	for _, s := range n.Sigs {
		for _, c := range cosigners {
			if s.Name == c.Name() && s.Hash == c.KeyHash() {
				opened.Witnesses = append(opened.Witnesses, s.Name)
			}
		}
	}
	if len(opened.Witnesses) < len(cosigners) {
		return opened, ErrWitnessMissing
	}
	return opened, nil
}

// Verify checks that the shown entry is in the log of vkey, with the witnesses'
// signatures where their keys are given, and returns the checkpoint.
func (p Proof) Verify(vkey string, witnesses ...string) (Checkpoint, error) {
	cp, err := OpenCheckpoint(p.Checkpoint, vkey, witnesses...)
	if err != nil {
		return cp, err
	}
	leaf, err := p.Entry.Leaf()
	if err != nil {
		return cp, err
	}
	if p.Index != uint64(p.Entry.Seq)-1 {
		return cp, fmt.Errorf("%w: entry %d at index %d", ErrNotInLog, p.Entry.Seq, p.Index)
	}
	hash := rfc6962.DefaultHasher.HashLeaf(leaf[:])
	if err := proof.VerifyInclusion(rfc6962.DefaultHasher, p.Index, cp.Size, hash, p.Path, cp.Root); err != nil {
		return cp, fmt.Errorf("%w: %w", ErrNotInLog, err)
	}
	return cp, nil
}

const (
	proofHeader = "c2sp.org/tlog-proof@v1\n"
	// MaxProof bounds the text of a proof that is read.
	MaxProof = 1 << 20
	maxPath  = 64 // a tree of 2^64 leaves
)

// Text is the proof as a file.
func (p Proof) Text() ([]byte, error) {
	extra, err := json.Marshal(p.Entry)
	if err != nil {
		return nil, fmt.Errorf("ledger: proof: %w", err)
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "%sextra %s\nindex %d\n", proofHeader, base64.StdEncoding.EncodeToString(extra), p.Index)
	for _, h := range p.Path {
		fmt.Fprintln(&b, base64.StdEncoding.EncodeToString(h))
	}
	b.WriteByte('\n')
	b.Write(p.Checkpoint)
	return b.Bytes(), nil
}

// ParseProof reads a proof's text; ErrProofForm says what is wrong with it.
func ParseProof(text []byte) (Proof, error) {
	var p Proof
	bad := func(what string) (Proof, error) { return Proof{}, fmt.Errorf("%w: %s", ErrProofForm, what) }
	if len(text) > MaxProof {
		return bad("it is too long")
	}
	rest, ok := strings.CutPrefix(string(text), proofHeader)
	if !ok {
		return bad("its first line is another")
	}
	head, checkpoint, ok := strings.Cut(rest, "\n\n")
	if !ok {
		return bad("it has no checkpoint")
	}
	lines := strings.Split(head, "\n")
	if len(lines) < 2 || len(lines) > 2+maxPath {
		return bad("lines are missing, or too many")
	}
	extra, ok := strings.CutPrefix(lines[0], "extra ")
	raw, err := base64.StdEncoding.Strict().DecodeString(extra)
	if !ok || err != nil || strict(raw, &p.Entry) != nil {
		return bad("line 2 does not hold the entry")
	}
	index, ok := strings.CutPrefix(lines[1], "index ")
	if p.Index, err = strconv.ParseUint(index, 10, 63); !ok || err != nil || strconv.FormatUint(p.Index, 10) != index {
		return bad("line 3 does not hold the index")
	}
	for i, line := range lines[2:] {
		h, err := base64.StdEncoding.Strict().DecodeString(line)
		if err != nil || len(h) != LeafSize {
			return bad(fmt.Sprintf("line %d is no hash", i+4))
		}
		p.Path = append(p.Path, h)
	}
	p.Checkpoint = []byte(checkpoint)
	return p, nil
}

func strict(raw []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	if d.More() {
		return errors.New("more than one value")
	}
	return nil
}
