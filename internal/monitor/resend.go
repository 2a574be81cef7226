package monitor

import (
	"context"
	"encoding/json"

	"github.com/aspis-platform/aspis/internal/ledger"
	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/sector"
)

// Resend sends a dead letter of the viewer's member again, as it was or, where
// corrected is not empty, that in its place. If the line is taken the letter
// is gone, and the ledger says who sent it; if it is refused again it stays
// and the answer says why.
func (d *Door) Resend(ctx context.Context, v sector.Viewer, id string, corrected []byte) (Answer, error) {
	letter, err := d.receipts.Letter(ctx, v.Member, id)
	if err != nil {
		return Answer{}, err
	}
	text := corrected
	if len(text) == 0 {
		if letter.Cut() {
			return Answer{}, errs.New(errs.Invalid, "door.letter_cut")
		}
		text = letter.Raw
	}
	lines, err := sortLines(text, d.limits)
	if err != nil {
		return Answer{}, err
	}
	if lines.total() != 1 {
		return Answer{}, errs.New(errs.Invalid, "door.letter_one_line")
	}
	if len(lines.refused) > 0 {
		return Answer{Rejected: lines.rejections()}, nil
	}
	t := newTicket(v.Member, "", text)
	t.batch = hashOf("resend", string(v.Member), id, t.body)
	t.resent = Resent{Letter: id, Entry: letterEntry(v, "letter.resend", id, map[string]any{
		"batch": t.batch, "corrected": len(corrected) > 0,
	})}
	return d.accept(ctx, t, lines)
}

// Drop forgets a dead letter of the viewer's member, or errs.NotFound.
func (d *Door) Drop(ctx context.Context, v sector.Viewer, id string) error {
	return d.receipts.DropLetter(ctx, v.Member, id, letterEntry(v, "letter.drop", id, nil))
}

// letterEntry explains what became of a dead letter. What stood in it stays
// out of the ledger.
func letterEntry(v sector.Viewer, action, id string, detail map[string]any) ledger.Entry {
	e := ledger.Entry{Actor: v.Actor(), Action: action, Object: "letter:" + id, Member: string(v.Member)}
	if raw, err := json.Marshal(detail); err == nil && detail != nil { // plain values always encode
		e.Detail = string(raw)
	}
	return e
}
