package apidoc

import (
	_ "embed" // for fieldWords
	"encoding/json"
	"fmt"

	"github.com/danielgtaylor/huma/v2"

	"github.com/aspis-platform/aspis/internal/platform/i18n"
)

// fieldWords are what the types say of their fields, in English, with the
// same in Chinese.
//
//go:embed fields.json
var fieldWords []byte //nolint:gochecknoglobals // embedded

// words puts what the document says into the reader's language.
type words struct {
	texts  *i18n.Catalogue
	fields map[string]string
}

func newWords(texts *i18n.Catalogue) (words, error) {
	w := words{texts: texts}
	if err := json.Unmarshal(fieldWords, &w.fields); err != nil {
		return w, fmt.Errorf("apidoc: fields.json: %w", err)
	}
	return w, nil
}

// field is a description; in English where there is no other.
func (w words) field(lang i18n.Lang, text string) string {
	if other := w.fields[text]; other != "" && lang == i18n.ZhHant {
		return other
	}
	return text
}

// document is the document in a language, as values of JSON.
func (w words) document(doc *huma.OpenAPI, lang i18n.Lang) (any, error) {
	raw, err := json.Marshal(doc)
	if err != nil {
		return nil, err
	}
	var all any
	if err := json.Unmarshal(raw, &all); err != nil {
		return nil, err
	}
	w.walk(all, lang)
	return all, nil
}

func (w words) walk(v any, lang i18n.Lang) {
	switch v := v.(type) {
	case []any:
		for _, one := range v {
			w.walk(one, lang)
		}
	case map[string]any:
		if text, ok := v["description"].(string); ok { // not a property of that name: that would be an object
			v["description"] = w.field(lang, text)
		}
		if id, ok := v["operationId"].(string); ok {
			v["summary"] = w.texts.T(lang, "api.op."+id)
			if key := "api.op." + id + ".text"; w.texts.Has(key) {
				v["description"] = w.texts.T(lang, key)
			}
		}
		for _, one := range v {
			w.walk(one, lang)
		}
	}
}
