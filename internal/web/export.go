package web

import (
	"bufio"
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/xuri/excelize/v2"

	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/sector"
)

// Bounds of an export.
const (
	maxExport     = 50_000           // rows
	exportPatient = 10 * time.Minute // until the last row is sent
)

// Rows reads the rows of a list after a place ("" for the first), and the
// place that goes on ("" at the end). A row has a value for each column of the
// list, hidden or not: a string, an int, an int64 or a time.
type Rows func(ctx context.Context, after string) (rows [][]any, next string, err error)

// Export answers with the list as a file, CSV or, with format=xlsx, Excel: the
// columns that the list shows, and the rows that it shows, page after page,
// read as the list reads them. That it was asked for is in the ledger before
// the first byte leaves.
func (s *Shell) Export(w http.ResponseWriter, r *http.Request, l List, name string, read Rows) error {
	if s.lists == nil {
		return errs.New(errs.NotFound, "error.not_found.text")
	}
	format := r.URL.Query().Get("format")
	if format != "csv" && format != "xlsx" {
		return errs.New(errs.Invalid, "common.export.format")
	}
	first, next, err := read(r.Context(), "")
	if err != nil {
		return err
	}
	e, err := exportEntry(sector.ViewerFrom(r.Context()), l, format)
	if err != nil {
		return err
	}
	if err := s.lists.Exported(r.Context(), e); err != nil {
		return err
	}
	now := s.now().In(s.Zone(r))
	w.Header().Set("Content-Disposition", fmt.Sprintf(`attachment; filename="%s-%s.%s"`, name, now.Format("20060102-150405"), format))
	w.Header().Set("Cache-Control", "no-store")
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(exportPatient)) // else the server's own holds
	x := exporter{shell: s, r: r, list: l, zone: s.Zone(r), read: read}
	if format == "xlsx" {
		w.Header().Set("Content-Type", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")
		return x.xlsx(w, first, next)
	}
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	return x.csv(w, first, next)
}

// exporter writes one list.
type exporter struct {
	shell *Shell
	r     *http.Request
	list  List
	zone  *time.Location
	read  Rows
}

// each hands over the heading, then row after row, at most [maxExport]; where
// there are more, the last row says so.
func (x exporter) each(rows [][]any, next string, put func(cells []any) error) error {
	var heading []any
	for _, c := range x.list.Visible() {
		heading = append(heading, x.shell.T(x.r, c.Key))
	}
	if err := put(heading); err != nil {
		return err
	}
	for sent := 0; ; {
		for _, row := range rows {
			if sent == maxExport {
				return put([]any{x.shell.T(x.r, "common.export.cut", maxExport)})
			}
			if err := put(x.cells(row)); err != nil {
				return err
			}
			sent++
		}
		if next == "" {
			return nil
		}
		var err error
		if rows, next, err = x.read(x.r.Context(), next); err != nil {
			return err
		}
	}
}

// cells are the values of the columns that are shown.
func (x exporter) cells(row []any) []any {
	var cells []any
	for i, c := range x.list.Columns {
		if i >= len(row) || !x.list.Shows(c.Name) {
			continue
		}
		switch v := row[i].(type) {
		case time.Time:
			if v.IsZero() {
				cells = append(cells, "")
			} else {
				cells = append(cells, v.In(x.zone).Format(time.RFC3339))
			}
		case string:
			cells = append(cells, harmless(v))
		default:
			cells = append(cells, v)
		}
	}
	return cells
}

// harmless keeps a spreadsheet from taking a text for a formula (OWASP, CSV
// Injection): what begins like one, after what a program may skip, gets an
// apostrophe in front.
func harmless(text string) string {
	text = strings.ToValidUTF8(strings.ReplaceAll(text, "\x00", ""), "\ufffd")
	begin := strings.TrimLeft(text, " \u00a0\u3000\ufeff\u200b\n\"'")
	if begin != "" && strings.ContainsRune("=+-@\t\r|%＝＋－＠", []rune(begin)[0]) {
		return "'" + text
	}
	return text
}

func (x exporter) csv(w http.ResponseWriter, rows [][]any, next string) error {
	buffered := bufio.NewWriterSize(w, 1<<16)
	if _, err := buffered.WriteString("\ufeff"); err != nil { // or Excel takes it for another encoding
		return err
	}
	out := csv.NewWriter(buffered)
	out.UseCRLF = true // RFC 4180
	err := x.each(rows, next, func(cells []any) error {
		texts := make([]string, len(cells))
		for i, c := range cells {
			texts[i] = fmt.Sprint(c)
		}
		return out.Write(texts)
	})
	if err != nil {
		return err // what was sent has no last line break: a cut file is seen
	}
	out.Flush()
	if err := out.Error(); err != nil {
		return err
	}
	return buffered.Flush()
}

// xlsx writes the sheet to a temporary file as it goes, then sends it.
func (x exporter) xlsx(w io.Writer, rows [][]any, next string) (err error) {
	book := excelize.NewFile()
	defer func() {
		if closing := book.Close(); err == nil {
			err = closing
		}
	}()
	sheet, err := book.NewStreamWriter("Sheet1")
	if err != nil {
		return err
	}
	line := 0
	err = x.each(rows, next, func(cells []any) error {
		line++
		return sheet.SetRow(fmt.Sprint("A", line), cells)
	})
	if err != nil {
		return err
	}
	if err := sheet.Flush(); err != nil {
		return err
	}
	return book.Write(w)
}
