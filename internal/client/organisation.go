package client

import "time"

// Profile is what a member says of itself.
type Profile struct {
	Member  string        `json:"member"`
	Version int           `json:"version"`
	SavedAt time.Time     `json:"saved_at,omitzero"`
	Profile ProfileFields `json:"profile"`
}

// ProfileFields are the parts of a profile.
type ProfileFields struct {
	NameZh    string             `json:"name_zh,omitempty"`
	Name      string             `json:"name,omitempty"`
	Size      string             `json:"size,omitempty"`
	StockCode string             `json:"stock_code,omitempty"`
	BIC       string             `json:"bic,omitempty"`
	Contacts  map[string]Contact `json:"contacts,omitempty"`
	Networks  []string           `json:"networks,omitempty"`
	Domains   []string           `json:"domains,omitempty"`
	Brands    []string           `json:"brands,omitempty"`
	Products  []string           `json:"products,omitempty"`
	Suppliers []string           `json:"suppliers,omitempty"`
}

// Contact is who is asked for a duty.
type Contact struct {
	Name  string `json:"name,omitempty"`
	Mail  string `json:"mail,omitempty"`
	Phone string `json:"phone,omitempty"`
	Round bool   `json:"round,omitempty"` // at any hour
}

// MemberProfile is a member's profile as the centre reads it.
type MemberProfile struct {
	Profile  Profile `json:"profile"`
	Overlaps []struct {
		Mine   string `json:"mine"`
		Theirs string `json:"theirs"`
		Member string `json:"member"`
	} `json:"overlaps"`
}

// Confirmations are when the parts of a profile are to be confirmed next.
type Confirmations struct {
	Member   string `json:"member"`
	Contacts Due    `json:"contacts"`
	Networks Due    `json:"networks"`
}

// Due is when something is to be done.
type Due struct {
	Due  time.Time `json:"due"`
	Late bool      `json:"late"`
}

// Group is a sharing group as the reader sees it.
type Group struct {
	ID       string       `json:"id"`
	Name     string       `json:"name"`
	NameZh   string       `json:"name_zh"`
	Owner    string       `json:"owner,omitempty"` // empty: the centre
	Terms    int          `json:"terms"`
	ClosedAt time.Time    `json:"closed_at,omitzero"`
	Inside   bool         `json:"inside"`
	Standing string       `json:"standing,omitempty"`
	Members  []Membership `json:"members,omitempty"`
}

// Title is the group's name in a language.
func (g Group) Title(lang string) string { return Text{Zh: g.NameZh, En: g.Name}.In(lang) }

// Membership is how a member stands in a group.
type Membership struct {
	Member   string `json:"member"`
	Standing string `json:"standing,omitempty"`
	Inside   bool   `json:"inside"`
}

// Terms are what who joins a group agrees to.
type Terms struct {
	Version    int    `json:"version,omitempty"`
	Zh         string `json:"zh"`
	En         string `json:"en"`
	NamesShown bool   `json:"names_shown"`
}

// Person is somebody with an account.
type Person struct {
	ID        string    `json:"id"`
	Email     string    `json:"email"`
	Roles     []string  `json:"roles"`
	Member    string    `json:"member,omitempty"`
	CreatedAt time.Time `json:"created_at"`
	RemovedAt time.Time `json:"removed_at,omitzero"`
}

// Invitation is what became of an address.
type Invitation struct {
	Email   string `json:"email"`
	Link    string `json:"link,omitempty"`
	Problem *struct {
		Text string `json:"text"`
	} `json:"problem,omitempty"`
}

// Link signs somebody in, once.
type Link struct {
	Link      string    `json:"link"`
	ExpiresAt time.Time `json:"expires_at"`
}

// Session is a session of a person in a browser.
type Session struct {
	ID        string    `json:"id"`
	Method    string    `json:"method"`
	Browser   string    `json:"browser"`
	Address   string    `json:"address"`
	StartedAt time.Time `json:"started_at"`
	SeenAt    time.Time `json:"seen_at"`
}

// Ended is how many sessions were ended.
type Ended struct {
	Ended int `json:"ended"`
}

// Notice is a line of the notification centre.
type Notice struct {
	ID     string    `json:"id"`
	Topic  string    `json:"topic"`
	Title  *Text     `json:"title,omitempty"`
	Text   Text      `json:"text"`
	At     time.Time `json:"at"`
	ReadAt time.Time `json:"read_at,omitzero"`
}

// Line is what the notice says in a language.
func (n Notice) Line(lang string) string {
	if n.Title != nil {
		return n.Title.In(lang)
	}
	return n.Text.In(lang)
}

// Settings are how somebody is told of each topic.
type Settings struct {
	Choices []struct {
		Topic string `json:"topic"`
		Mode  string `json:"mode"`
	} `json:"choices"`
	Hour int `json:"digest_hour"`
	Key  *struct {
		Fingerprint string `json:"fingerprint"`
	} `json:"key,omitempty"`
}

// Webhook is a member's webhook.
type Webhook struct {
	ID     string   `json:"id"`
	URL    string   `json:"url"`
	Topics []string `json:"topics"`
}

// NewWebhook is a webhook with a new secret.
type NewWebhook struct {
	Webhook Webhook `json:"webhook"`
	Secret  string  `json:"secret"`
}

// Undelivered is a message that was given up.
type Undelivered struct {
	ID        string    `json:"id"`
	Recipient string    `json:"recipient"`
	Topic     string    `json:"topic"`
	Text      string    `json:"text,omitempty"`
	GivenUp   time.Time `json:"given_up_at"`
}

// Party is somebody or something that an entry of the ledger names.
type Party struct {
	Kind   string `json:"kind"`
	ID     string `json:"id,omitempty"`
	Mail   string `json:"mail,omitempty"`
	Member string `json:"member,omitempty"`
}

// Name is how a party is called.
func (p Party) Name() string {
	switch {
	case p.Mail != "":
		return p.Mail
	case p.ID != "":
		return p.Kind + ":" + p.ID
	}
	return p.Kind
}

// Entry is an entry of the ledger as the reader may see it.
type Entry struct {
	Entry  string            `json:"entry"`
	At     time.Time         `json:"at"`
	Action string            `json:"action"`
	Text   string            `json:"text"`
	Actor  Party             `json:"actor"`
	Object Party             `json:"object"`
	Member string            `json:"member,omitempty"`
	Detail map[string]string `json:"detail,omitempty"`
}

// ProvenEntry is an entry with whether it is in the signed log.
type ProvenEntry struct {
	Entry Entry  `json:"entry"`
	State string `json:"state"`
	Place *struct {
		Index      uint64 `json:"index"`
		Checkpoint string `json:"checkpoint"`
	} `json:"place,omitempty"`
}

// Checkpoint is the newest signed state of the ledger's log.
type Checkpoint struct {
	Origin string `json:"origin"`
	Size   uint64 `json:"size"`
	Root   string `json:"root"`
	Text   string `json:"text"`
	Key    string `json:"key"`
}

// Proof is an entry's proof as a file.
type Proof struct {
	File  string `json:"file"`
	Proof string `json:"proof"`
}
