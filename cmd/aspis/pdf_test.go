package main

import (
	"bytes"
	"compress/zlib"
	"encoding/hex"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode/utf16"

	"golang.org/x/text/unicode/norm"
)

// pdf is a document as Chromium writes it (Skia's writer: numbered objects,
// one after the other, text in fonts with a table of their characters). It is
// read for its words only.
type pdf struct {
	dicts   map[string]string
	streams map[string][]byte
	pages   []string // dictionaries, in order
}

var (
	pdfObject = regexp.MustCompile(`(?s)(?:^|\n)(\d+) 0 obj\s*(.*?)endobj`)
	pdfRef    = regexp.MustCompile(`/(\w+) (\d+) 0 R`)
	pdfText   = regexp.MustCompile(`/(F\d+) [\d.]+ Tf|<([0-9A-Fa-f]+)> Tj|\[([^\]]*)\] ?TJ|/(X\d+) Do`)
	pdfHex    = regexp.MustCompile(`<([0-9A-Fa-f]+)>`)
	pdfRange  = regexp.MustCompile(`<([0-9A-Fa-f]{2,4})> <([0-9A-Fa-f]{2,4})> <([0-9A-Fa-f]{4,})>`)
	pdfChar   = regexp.MustCompile(`(?m)^<([0-9A-Fa-f]{2,4})> <([0-9A-Fa-f]{4,})>$`)
)

func readPDF(t testing.TB, raw []byte) pdf {
	t.Helper()
	doc := pdf{dicts: map[string]string{}, streams: map[string][]byte{}}
	for _, m := range pdfObject.FindAllSubmatch(raw, -1) {
		id := string(m[1])
		dict, stream, _ := bytes.Cut(m[2], []byte("stream\n"))
		doc.dicts[id] = string(dict)
		stream, _, _ = bytes.Cut(stream, []byte("\nendstream"))
		if z, err := zlib.NewReader(bytes.NewReader(stream)); err == nil {
			stream, _ = io.ReadAll(z) // what could be read counts
		}
		doc.streams[id] = stream
		if strings.Contains(doc.dicts[id], "/Type /Page\n") || strings.Contains(doc.dicts[id], "/Type /Page ") || strings.Contains(doc.dicts[id], "/Type /Page/") {
			doc.pages = append(doc.pages, doc.dicts[id])
		}
	}
	if len(doc.pages) == 0 {
		t.Fatalf("no pages in %d bytes", len(raw))
	}
	return doc
}

// words are a page's, without the blanks: what is between words is not always
// written.
func (doc pdf) words(page string) string {
	content := regexp.MustCompile(`/Contents \[?(\d+) 0 R`).FindStringSubmatch(page)
	if content == nil {
		return ""
	}
	return squeezed(doc.drawn(page, content[1]))
}

// squeezed is a text without blanks, and without ligatures and radicals, which
// fonts put in place of letters and characters.
func squeezed(text string) string {
	return norm.NFKC.String(strings.Join(strings.Fields(text), ""))
}

// drawn is the text of a stream, and of those that it draws.
func (doc pdf) drawn(resources, stream string) string {
	named := map[string]string{}
	for _, m := range pdfRef.FindAllStringSubmatch(resources, -1) {
		named[m[1]] = m[2]
	}
	var b strings.Builder
	font, digits := map[string]string{}, 4
	for _, m := range pdfText.FindAllStringSubmatch(string(doc.streams[stream]), -1) {
		switch {
		case m[1] != "":
			font, digits = doc.characters(named[m[1]]), 4
			if strings.Contains(doc.dicts[named[m[1]]], "/Type3") {
				digits = 2 // its codes are bytes
			}
		case m[4] != "":
			b.WriteString(doc.drawn(doc.dicts[named[m[4]]], named[m[4]]))
		default:
			for _, run := range pdfHex.FindAllStringSubmatch("<"+m[2]+">"+m[3], -1) {
				for i := 0; i+digits <= len(run[1]); i += digits {
					b.WriteString(font[strings.ToUpper(run[1][i:i+digits])])
				}
			}
		}
	}
	return b.String()
}

// characters are what the glyphs of a font stand for.
func (doc pdf) characters(font string) map[string]string {
	table := map[string]string{}
	for _, m := range pdfRef.FindAllStringSubmatch(doc.dicts[font], -1) {
		if m[1] != "ToUnicode" {
			continue
		}
		text := string(doc.streams[m[2]])
		for _, c := range pdfChar.FindAllStringSubmatch(text, -1) {
			table[strings.ToUpper(c[1])] = utf16Text(c[2], 0)
		}
		for _, c := range pdfRange.FindAllStringSubmatch(text, -1) {
			from, _ := strconv.ParseUint(c[1], 16, 16) // the pattern holds digits only
			to, _ := strconv.ParseUint(c[2], 16, 16)
			for at := from; at <= to; at++ {
				table[fmt.Sprintf("%0*X", len(c[1]), at)] = utf16Text(c[3], uint16(at-from))
			}
		}
	}
	return table
}

// utf16Text is hexadecimal UTF-16, its last unit moved on.
func utf16Text(digits string, further uint16) string {
	raw, err := hex.DecodeString(digits)
	if err != nil || len(raw) < 2 {
		return ""
	}
	units := make([]uint16, len(raw)/2)
	for i := range units {
		units[i] = uint16(raw[2*i])<<8 | uint16(raw[2*i+1])
	}
	units[len(units)-1] += further
	return string(utf16.Decode(units))
}
