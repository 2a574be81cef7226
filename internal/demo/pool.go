package demo

import (
	"bytes"
	"math/rand/v2"
	"strconv"
	"time"
)

// poolBatches is how many different batches a load goes through. Their times
// and numbers are made new each time, the rest is made once: making records
// must not cost what is measured.
const poolBatches = 8

type pool struct{ batches [poolBatches]template }

// template is a batch with places to fill in.
type template struct {
	text  []byte
	spots []spot
}

// spot is a place in a template.
type spot struct {
	at   int
	form form
}

// form is what is written at a spot, always of one length.
type form uint8

const (
	formISO    form = iota // 2006-01-02T15:04:05.000Z
	formSysmon             // 2006-01-02 15:04:05.000
	formEpoch              // 1136214245.000000
	formMicro              // 2006-01-02T15:04:05.000000Z
	formNumber             // the record's number in the load, ten digits
	forms
)

// formats writes a time in every form that records use. All are as long after
// 2001 and until 2286.
func formats(at time.Time) [forms]string {
	at = at.UTC().Truncate(time.Millisecond)
	return [forms]string{
		formISO:    at.Format(isoLayout),
		formSysmon: at.Format(sysmonLayout),
		formEpoch:  strconv.FormatFloat(float64(at.UnixMicro())/1e6, 'f', 6, 64),
		formMicro:  at.Format("2006-01-02T15:04:05.000000Z07:00"),
	}
}

// numberMark stands where a record's number goes.
const numberMark = "@@number@@"

// newPool makes batches of ordinary records of the demonstration sector.
func newPool(lines int) *pool {
	stand := time.Date(2002, 2, 3, 4, 5, 6, 789_000_000, time.UTC) // found again by its text
	marks := formats(stand)
	marks[formNumber] = numberMark
	sites := Members(24)
	p := &pool{}
	for i := range p.batches {
		s := &scene{site: newSite(sites[i].ID), rng: rand.New(rand.NewPCG(uint64(i), 1)), at: stand}
		t := &p.batches[i]
		for range lines {
			t.add(numbered10(s.ordinary()), marks)
		}
	}
	return p
}

// numbered10 gives a record a place for its number, so that no two records of
// a load are alike.
func numbered10(line []byte) []byte {
	if line[0] == '{' {
		return append(line[:len(line)-1], `,"load_number":"`+numberMark+`"}`...)
	}
	return append(line, " load_number="+numberMark...)
}

// add appends a record and notes the spots in it.
func (t *template) add(line []byte, marks [forms]string) {
	base := len(t.text)
	for f, mark := range marks {
		for from := 0; ; {
			at := bytes.Index(line[from:], []byte(mark))
			if at < 0 {
				break
			}
			t.spots = append(t.spots, spot{base + from + at, form(f)})
			from += at + len(mark)
		}
	}
	t.text = append(append(t.text, line...), '\n')
}

// fill appends batch n with the time given to body.
func (p *pool) fill(body []byte, n int64, now time.Time) []byte {
	t := &p.batches[n%poolBatches]
	base := len(body)
	body = append(body, t.text...)
	texts := formats(now)
	record := n * int64(bytes.Count(t.text, []byte{'\n'}))
	for _, s := range t.spots {
		text := texts[s.form]
		if s.form == formNumber {
			text = decimal(record)
			record++
		}
		copy(body[base+s.at:], text)
	}
	return body
}

// decimal is a number in ten digits.
func decimal(n int64) string {
	var b [10]byte
	for i := len(b) - 1; i >= 0; i-- {
		b[i] = byte('0' + n%10)
		n /= 10
	}
	return string(b[:])
}
