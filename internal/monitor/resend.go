package monitor

import (
	"context"

	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/sector"
)

// Resend sends a dead letter again, as it was or, where corrected is not
// empty, in its place. If the line is taken the letter is gone; if it is
// refused again it stays and the answer says why.
func (d *Door) Resend(ctx context.Context, member sector.MemberID, id string, corrected []byte) (Answer, error) {
	letter, err := d.receipts.Letter(ctx, member, id)
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
	t := newTicket(member, "", text)
	t.batch = hashOf("resend", string(member), id, t.body)
	t.resent = id
	return d.accept(ctx, t, lines)
}
