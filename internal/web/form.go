package web

import (
	"errors"
	"net/http"
	"strings"

	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/platform/i18n"
)

// maxForm bounds a form's body in bytes.
const maxForm = 1 << 20

// Field is an input of a form with its label, hint and error.
type Field struct {
	Name         string
	Label        string // catalogue key
	Kind         string // text, email, password, search, textarea, select, radio, checks, datetime-local, hidden
	Value        string
	Values       []string // chosen ones, for checks
	Options      []Option
	Hint         string // catalogue key
	Required     bool
	Autocomplete string
	Autofocus    bool
	Rows         int
	MaxLength    int
	Pattern      string
	Lang         i18n.Lang // of the content, where it is fixed
	Class        string    // "mono", "short"
	Error        *Message
	ErrorLine    int // of several; 0 for none
}

// Message is a text to be rendered: a key with arguments.
type Message struct {
	Key  string
	Args []any
}

// Chosen reports whether the option is selected.
func (f Field) Chosen(value string) bool {
	if f.Kind == "checks" {
		for _, v := range f.Values {
			if v == value {
				return true
			}
		}
		return false
	}
	return f.Value == value
}

// Describedby lists the ids that explain the input.
func (f Field) Describedby() string {
	var ids []string
	if f.Hint != "" {
		ids = append(ids, f.Name+"-hint")
	}
	if f.Error != nil {
		ids = append(ids, f.Name+"-error")
	}
	return strings.Join(ids, " ")
}

// Form is the fields of a form by name, filled from a request.
type Form struct {
	fields map[string]*Field
	// Error is about the form as a whole.
	Error *Message
}

// NewForm returns a form with the fields as given.
func NewForm(fields ...Field) *Form {
	f := &Form{fields: map[string]*Field{}}
	for _, field := range fields {
		f.fields[field.Name] = &field
	}
	return f
}

// Read fills the fields from a POST and checks what can be checked without
// knowing the domain: required, length, options. Passwords are read as typed;
// everything else is trimmed.
func (f *Form) Read(w http.ResponseWriter, r *http.Request) error {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
			return errs.New(errs.TooLarge, "error.form_size").Because(err)
		}
		return errs.New(errs.Invalid, "error.form").Because(err)
	}
	for _, field := range f.fields {
		field.read(r)
	}
	return nil
}

func (f *Field) read(r *http.Request) {
	f.Values = r.PostForm[f.Name]
	f.Value = strings.ToValidUTF8(r.PostForm.Get(f.Name), "")
	if f.Kind != "password" {
		f.Value = strings.TrimSpace(f.Value)
	}
	switch {
	case f.Required && f.Value == "":
		f.Error = &Message{Key: "common.form.required"}
	case f.MaxLength > 0 && len([]rune(f.Value)) > f.MaxLength:
		f.Error = &Message{Key: "common.form.too_long", Args: []any{f.MaxLength}}
	case len(f.Options) > 0 && !f.known():
		f.Error = &Message{Key: "common.form.option"}
	}
}

func (f *Field) known() bool {
	chosen := f.Values
	if f.Kind != "checks" && f.Value == "" {
		return true
	}
	for _, v := range chosen {
		found := false
		for _, o := range f.Options {
			found = found || o.Value == v
		}
		if !found {
			return false
		}
	}
	return true
}

// Field is the named field, for the template. A name that was not given to
// [NewForm] is a mistake of ours and fails the page.
func (f *Form) Field(name string) (*Field, error) {
	if field, ok := f.fields[name]; ok {
		return field, nil
	}
	return nil, errors.New("form: no field " + name)
}

// Get is the value of a field.
func (f *Form) Get(name string) string {
	if field, ok := f.fields[name]; ok {
		return field.Value
	}
	return ""
}

// All is the values of a field with several.
func (f *Form) All(name string) []string {
	if field, ok := f.fields[name]; ok {
		return field.Values
	}
	return nil
}

// Fail puts an error beside a field, or on the form when there is no such
// field.
func (f *Form) Fail(name, key string, args ...any) {
	m := &Message{Key: key, Args: args}
	if field, ok := f.fields[name]; ok {
		field.Error = m
		return
	}
	f.Error = m
}

// FailLine puts an error beside a field of several lines, with the line it is
// about, counted from 1. The first one stays.
func (f *Form) FailLine(name string, line int, key string, args ...any) {
	field, ok := f.fields[name]
	if !ok {
		f.Fail(name, key, args...)
		return
	}
	if field.Error == nil {
		field.Error, field.ErrorLine = &Message{Key: key, Args: args}, line
	}
}

// FailWith puts an error of the domain on the form when the viewer can do
// something about it (Invalid, Conflict), and returns every other error.
func (f *Form) FailWith(err error) error {
	e, ok := errors.AsType[*errs.Error](err)
	if !ok || e.Kind != errs.Invalid && e.Kind != errs.Conflict {
		return err
	}
	f.Error = &Message{Key: e.Key, Args: e.Args}
	return nil
}

// OK reports whether nothing is wrong.
func (f *Form) OK() bool {
	for _, field := range f.fields {
		if field.Error != nil {
			return false
		}
	}
	return f.Error == nil
}

// Status is what to answer with: 200, or 422 when something is wrong.
func (f *Form) Status() int {
	if f.OK() {
		return http.StatusOK
	}
	return http.StatusUnprocessableEntity
}
