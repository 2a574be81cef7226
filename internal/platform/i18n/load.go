package i18n

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
)

//go:embed catalogue
var embedded embed.FS

// Load reads the catalogue that is built into the program. All mistakes are
// reported together; a catalogue with a mistake is not returned.
func Load() (*Catalogue, error) {
	root, err := fs.Sub(embedded, "catalogue")
	if err != nil {
		return nil, fmt.Errorf("i18n: load: %w", err)
	}
	return LoadFS(root)
}

// LoadFS reads <lang>/<area>.json files. It refuses duplicate and badly named
// keys, empty texts, broken placeholders, and keys or placeholders that are
// not the same in every language.
func LoadFS(fsys fs.FS) (*Catalogue, error) {
	c := &Catalogue{texts: map[Lang]map[string]message{}}
	var problems []error
	for _, lang := range Langs() {
		c.texts[lang] = map[string]message{}
		files, err := fs.Glob(fsys, string(lang)+"/*.json")
		if err != nil {
			return nil, fmt.Errorf("i18n: load: %w", err)
		}
		for _, file := range files {
			problems = append(problems, c.loadFile(fsys, lang, file)...)
		}
	}
	problems = append(problems, c.compare()...)
	if err := errors.Join(problems...); err != nil {
		return nil, fmt.Errorf("i18n: load: %w", err)
	}
	return c, nil
}

func (c *Catalogue) loadFile(fsys fs.FS, lang Lang, file string) []error {
	raw, err := fs.ReadFile(fsys, file)
	if err != nil {
		return []error{err}
	}
	pairs, err := readPairs(raw)
	if err != nil {
		return []error{fmt.Errorf("%s: %w", file, err)}
	}
	var problems []error
	for _, p := range pairs {
		if err := c.add(lang, p); err != nil {
			problems = append(problems, fmt.Errorf("%s: %s: %w", file, p.key, err))
		}
	}
	return problems
}

type pair struct{ key, text string }

// readPairs decodes a flat object in order. encoding/json alone would let the
// last of two equal keys win in silence.
func readPairs(raw []byte) ([]pair, error) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	if tok, err := dec.Token(); err != nil || tok != json.Delim('{') {
		return nil, errors.New("not a JSON object")
	}
	var pairs []pair
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return nil, err
		}
		var text string
		if err := dec.Decode(&text); err != nil {
			return nil, fmt.Errorf("%v: %w", key, err)
		}
		pairs = append(pairs, pair{key.(string), text})
	}
	if _, err := dec.Token(); err != nil {
		return nil, err
	}
	if dec.More() {
		return nil, errors.New("text after the object")
	}
	return pairs, nil
}

var keyForm = regexp.MustCompile(`^[a-z][a-z0-9_-]*(\.[A-Za-z0-9_+-]+)+$`)

func (c *Catalogue) add(lang Lang, p pair) error {
	switch _, seen := c.texts[lang][p.key]; {
	case seen:
		return errors.New("the key is given twice")
	case !keyForm.MatchString(p.key):
		return errors.New("a key is dotted words")
	case strings.TrimSpace(p.text) == "":
		return errors.New("the text is empty")
	}
	m, err := parseMessage(p.text)
	if err != nil {
		return err
	}
	c.texts[lang][p.key] = m
	return nil
}

// compare reports what one language has and another lacks.
func (c *Catalogue) compare() []error {
	var problems []error
	for _, a := range Langs() {
		for _, key := range slices.Sorted(maps.Keys(c.texts[a])) {
			for _, b := range Langs() {
				other, ok := c.texts[b][key]
				if !ok {
					problems = append(problems, fmt.Errorf("%s: in %s, missing in %s", key, a, b))
				} else if a < b && !maps.Equal(c.texts[a][key].plain(), other.plain()) {
					problems = append(problems, fmt.Errorf("%s: placeholders differ between %s and %s", key, a, b))
				}
			}
		}
	}
	return problems
}

// Keys lists every key, sorted.
func (c *Catalogue) Keys() []string { return slices.Sorted(maps.Keys(c.texts[En])) }

// Areas lists the catalogue's areas, sorted.
func Areas() ([]string, error) {
	files, err := fs.Glob(embedded, "catalogue/"+string(En)+"/*.json")
	if err != nil {
		return nil, fmt.Errorf("i18n: areas: %w", err)
	}
	for i, f := range files {
		files[i] = strings.TrimSuffix(path.Base(f), ".json")
	}
	return files, nil
}
