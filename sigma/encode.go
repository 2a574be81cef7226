package sigma

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// encodeUTF16 encodes text as UTF-16 without a byte order mark.
func encodeUTF16(s string, order binary.AppendByteOrder) string {
	var out []byte
	for _, unit := range utf16.Encode([]rune(s)) {
		out = order.AppendUint16(out, unit)
	}
	return string(out)
}

// base64Offsets returns the three texts one of which appears in any Base64
// text whose content has data somewhere: the encodings at the three possible
// alignments, without the characters that neighbouring bytes take part in.
func base64Offsets(data string) ([]string, error) {
	out := make([]string, 0, 3)
	for shift := range 3 {
		encoded := base64.StdEncoding.EncodeToString([]byte("  "[:shift] + data))
		first := [...]int{0, 2, 3}[shift]
		last := len(encoded) - [...]int{0, 3, 2}[(len(data)+shift)%3]
		if last-first < 1 {
			return nil, errors.New("text is too short for base64offset")
		}
		out = append(out, encoded[first:last])
	}
	return out, nil
}

// windashes returns the text with every dash or slash that begins a parameter
// replaced in all combinations by each of the characters that Windows programs
// take for it. As in pySigma, a parameter begins where a dash or slash is not
// preceded and is followed by a word character.
func windashes(s string) ([]string, error) {
	const most = 4 // 5^4 combinations
	out := []string{""}
	from, found := 0, 0
	for i := 0; i < len(s); i++ {
		if s[i] != '-' && s[i] != '/' || wordBefore(s[:i]) || !wordAfter(s[i+1:]) {
			continue
		}
		if found++; found > most {
			return nil, errors.New("windash: more than 4 parameters in one value")
		}
		next := make([]string, 0, 5*len(out))
		for _, head := range out {
			for _, dash := range [...]string{"-", "/", "–", "—", "―"} {
				next = append(next, head+s[from:i]+dash)
			}
		}
		out, from = next, i+1
	}
	for i := range out {
		out[i] += s[from:]
	}
	return out, nil
}

func wordBefore(s string) bool {
	r, n := utf8.DecodeLastRuneInString(s)
	return n > 0 && wordRune(r)
}

func wordAfter(s string) bool {
	r, n := utf8.DecodeRuneInString(s)
	return n > 0 && wordRune(r)
}

func wordRune(r rune) bool { return r == '_' || unicode.IsLetter(r) || unicode.IsNumber(r) }
