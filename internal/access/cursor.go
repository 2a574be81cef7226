package access

import (
	"context"
	"strings"

	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/sector"
)

// Cursors seal positions in lists: they tell their holder nothing, are good
// for one viewer's side and one question only, and equal questions get equal
// ones.
type Cursors struct{ sealer Sealer }

// NewCursors returns cursors over a sealer.
func NewCursors(s Sealer) Cursors { return Cursors{s} }

// Seal is the cursor of a position, which is any text.
func (c Cursors) Seal(v sector.Viewer, question, position string) string {
	return c.sealer.Seal([]byte(cursorTag(v, question) + position))
}

// Open is the position of a cursor; the empty cursor is the empty position.
func (c Cursors) Open(v sector.Viewer, question, cursor string) (string, error) {
	if cursor == "" {
		return "", nil
	}
	plain, err := c.sealer.Open(cursor)
	position, ok := strings.CutPrefix(string(plain), cursorTag(v, question))
	if err != nil || !ok {
		return "", errs.New(errs.Invalid, "query.cursor")
	}
	return position, nil
}

// cursorTag binds a cursor to who asks for what.
func cursorTag(v sector.Viewer, question string) string {
	return digest(string(v.Org), string(v.Member), question)[:20]
}

// ListIn is what a list takes; embed it in an operation's input.
type ListIn struct {
	Text   string `query:"q" maxLength:"200" doc:"Words to look for."`
	Cursor string `query:"cursor" doc:"The next of the page before."`
	Limit  int    `query:"limit" minimum:"1" maximum:"500" default:"50"`
}

// Page is the rows of a list after the one whose key is after, at most limit
// of them, and the key to go on after; empty at the end. Rows are in their
// order already; a key that is gone is an error of the cursor.
func Page[Row any](rows []Row, key func(Row) string, after string, limit int) ([]Row, string, error) {
	if after != "" {
		i := 0
		for i < len(rows) && key(rows[i]) != after {
			i++
		}
		if i == len(rows) {
			return nil, "", errs.New(errs.Invalid, "query.cursor")
		}
		rows = rows[i+1:]
	}
	if len(rows) <= limit {
		return rows, "", nil
	}
	return rows[:limit], key(rows[limit-1]), nil
}

// Paged cuts a page out of a list that is held in memory, in its order: there
// are a thousand members at most, and some people of each. name and the words
// that are looked for are the question that the cursor belongs to.
func Paged[Row any](ctx context.Context, c Cursors, name string, in ListIn, all []Row, key func(Row) string) ([]Row, string, error) {
	v, question := sector.ViewerFrom(ctx), name+"\n"+in.Text
	after, err := c.Open(v, question, in.Cursor)
	if err != nil {
		return nil, "", err
	}
	rows, next, err := Page(all, key, after, in.Limit)
	if next != "" {
		next = c.Seal(v, question, next)
	}
	return rows, next, err
}
