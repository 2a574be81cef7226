package client

import (
	"encoding/json"
	"time"
)

// Text is a text in both languages.
type Text struct {
	Zh string `json:"zh"`
	En string `json:"en"`
}

// In is the text in a language; the other one where that is empty.
func (t Text) In(lang string) string {
	if lang == "en" && t.En != "" || t.Zh == "" {
		return t.En
	}
	return t.Zh
}

// Advisory is an advisory as its recipients read it.
type Advisory struct {
	ID         string      `json:"id"`
	Revision   int         `json:"revision"`
	State      string      `json:"state"`
	Title      Text        `json:"title"`
	Body       Text        `json:"body"`
	TLP        string      `json:"tlp"`
	PAP        string      `json:"pap"`
	Category   string      `json:"category"`
	Indicators []Indicator `json:"indicators"`
	AnswerDue  time.Time   `json:"answer_due,omitzero"`
	ReleasedAt time.Time   `json:"released_at"`
	Withdrawn  time.Time   `json:"withdrawn_at,omitzero"`
	Answer     *Answer     `json:"answer,omitempty"`
}

// Indicator is an indicator of an advisory.
type Indicator struct {
	Kind       string `json:"kind"`
	Value      string `json:"value"`
	Subdomains bool   `json:"subdomains,omitempty"`
}

// Answer is a member's answer.
type Answer struct {
	Answer string    `json:"answer"`
	Reason string    `json:"reason,omitempty"`
	At     time.Time `json:"answered_at,omitzero"`
}

// Alert is an alert.
type Alert struct {
	ID       string   `json:"id"`
	Version  int      `json:"version,omitempty"`
	Cause    string   `json:"cause"`
	Rule     string   `json:"rule"`
	Title    string   `json:"title"`
	TitleZh  string   `json:"title_zh"`
	Severity string   `json:"severity"`
	State    string   `json:"state"`
	Assignee string   `json:"assignee,omitempty"`
	Raised   string   `json:"raised"`
	Last     string   `json:"last"`
	Count    int      `json:"count"`
	Members  []string `json:"members"`
}

// Name is the alert's title in a language.
func (a Alert) Name(lang string) string { return Text{Zh: a.TitleZh, En: a.Title}.In(lang) }

// Member is a member institution.
type Member struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	NameZh    string    `json:"name_zh"`
	Sector    string    `json:"sector"`
	Mail      string    `json:"mail,omitempty"`
	CreatedAt time.Time `json:"created_at"`
}

// Key is a machine key of a member.
type Key struct {
	ID        string    `json:"id"`
	Member    string    `json:"member"`
	Name      string    `json:"name,omitempty"`
	State     string    `json:"state"`
	Scopes    []string  `json:"scopes"`
	Networks  []string  `json:"networks,omitempty"`
	CreatedAt time.Time `json:"created_at"`
	ExpiresAt time.Time `json:"expires_at,omitzero"` // zero: never
	RevokedAt time.Time `json:"revoked_at,omitzero"`
	LastUsed  time.Time `json:"last_used,omitzero"`
}

// KeyWithCredentials is a key with what proves it.
type KeyWithCredentials struct {
	Key
	Credentials []struct {
		ID      string    `json:"id"`
		Proof   string    `json:"proof"`
		Subject string    `json:"subject,omitempty"`
		EndsAt  time.Time `json:"ends_at,omitzero"`
	} `json:"credentials"`
}

// NewKey is a key that was just made, with its secret.
type NewKey struct {
	Key    Key    `json:"key"`
	Secret string `json:"secret"`
}

// Me is who a secret belongs to.
type Me struct {
	Email  string   `json:"email"`
	Member string   `json:"member,omitempty"`
	Roles  []string `json:"roles"`
}

// Draft is one of the centre's advisories.
type Draft struct {
	ID      string `json:"id"`
	Version int    `json:"version"`
	State   string `json:"state"`
	Title   Text   `json:"title"`
}

// Raw is a value with all that the centre said, for passing it on whole.
type Raw[T any] struct {
	Value T
	JSON  json.RawMessage
}

// UnmarshalJSON implements json.Unmarshaler.
func (r *Raw[T]) UnmarshalJSON(raw []byte) error {
	r.JSON = append(json.RawMessage(nil), raw...)
	return json.Unmarshal(raw, &r.Value)
}

// MarshalJSON implements json.Marshaler.
func (r Raw[T]) MarshalJSON() ([]byte, error) { return r.JSON, nil }
