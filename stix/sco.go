package stix

// IPv4Addr is an IPv4 address or a CIDR block of them (STIX 2.1, section 6.8).
type IPv4Addr struct {
	Common
	Value          string
	ResolvesToRefs []ID
	BelongsToRefs  []ID
}

func (o *IPv4Addr) props(k *codec) {
	o.Common.props(k)
	k.prop("value", &o.Value)
	k.prop("resolves_to_refs", &o.ResolvesToRefs)
	k.prop("belongs_to_refs", &o.BelongsToRefs)
}

// MarshalJSON implements json.Marshaler.
func (o *IPv4Addr) MarshalJSON() ([]byte, error) { return encodeRecord(o) }

// UnmarshalJSON implements json.Unmarshaler.
func (o *IPv4Addr) UnmarshalJSON(data []byte) error { return decodeRecord(data, "", o) }

// IPv6Addr is an IPv6 address or a CIDR block of them (STIX 2.1, section 6.9).
type IPv6Addr struct {
	Common
	Value          string
	ResolvesToRefs []ID
	BelongsToRefs  []ID
}

func (o *IPv6Addr) props(k *codec) {
	o.Common.props(k)
	k.prop("value", &o.Value)
	k.prop("resolves_to_refs", &o.ResolvesToRefs)
	k.prop("belongs_to_refs", &o.BelongsToRefs)
}

// MarshalJSON implements json.Marshaler.
func (o *IPv6Addr) MarshalJSON() ([]byte, error) { return encodeRecord(o) }

// UnmarshalJSON implements json.Unmarshaler.
func (o *IPv6Addr) UnmarshalJSON(data []byte) error { return decodeRecord(data, "", o) }

// DomainName is a network domain name (STIX 2.1, section 6.4).
type DomainName struct {
	Common
	Value          string
	ResolvesToRefs []ID
}

func (o *DomainName) props(k *codec) {
	o.Common.props(k)
	k.prop("value", &o.Value)
	k.prop("resolves_to_refs", &o.ResolvesToRefs)
}

// MarshalJSON implements json.Marshaler.
func (o *DomainName) MarshalJSON() ([]byte, error) { return encodeRecord(o) }

// UnmarshalJSON implements json.Unmarshaler.
func (o *DomainName) UnmarshalJSON(data []byte) error { return decodeRecord(data, "", o) }

// URL is a uniform resource locator (STIX 2.1, section 6.15).
type URL struct {
	Common
	Value string
}

func (o *URL) props(k *codec) {
	o.Common.props(k)
	k.prop("value", &o.Value)
}

// MarshalJSON implements json.Marshaler.
func (o *URL) MarshalJSON() ([]byte, error) { return encodeRecord(o) }

// UnmarshalJSON implements json.Unmarshaler.
func (o *URL) UnmarshalJSON(data []byte) error { return decodeRecord(data, "", o) }

// EmailAddr is one mail address, without a display name (STIX 2.1, section
// 6.5).
type EmailAddr struct {
	Common
	Value        string
	DisplayName  string
	BelongsToRef ID
}

func (o *EmailAddr) props(k *codec) {
	o.Common.props(k)
	k.prop("value", &o.Value)
	k.prop("display_name", &o.DisplayName)
	k.prop("belongs_to_ref", &o.BelongsToRef)
}

// MarshalJSON implements json.Marshaler.
func (o *EmailAddr) MarshalJSON() ([]byte, error) { return encodeRecord(o) }

// UnmarshalJSON implements json.Unmarshaler.
func (o *EmailAddr) UnmarshalJSON(data []byte) error { return decodeRecord(data, "", o) }

// File is a file, known by hashes or a name (STIX 2.1, section 6.7).
type File struct {
	Common
	Hashes             map[string]string // by hash-algorithm-ov: "MD5", "SHA-1", "SHA-256", …
	Size               *int64            // bytes
	Name               string
	NameEnc            string
	MagicNumberHex     string
	MimeType           string
	Ctime              Timestamp
	Mtime              Timestamp
	Atime              Timestamp
	ParentDirectoryRef ID
	ContainsRefs       []ID
	ContentRef         ID
}

func (o *File) props(k *codec) {
	o.Common.props(k)
	k.prop("hashes", &o.Hashes)
	k.prop("size", &o.Size)
	k.prop("name", &o.Name)
	k.prop("name_enc", &o.NameEnc)
	k.prop("magic_number_hex", &o.MagicNumberHex)
	k.prop("mime_type", &o.MimeType)
	k.prop("ctime", &o.Ctime)
	k.prop("mtime", &o.Mtime)
	k.prop("atime", &o.Atime)
	k.prop("parent_directory_ref", &o.ParentDirectoryRef)
	k.prop("contains_refs", &o.ContainsRefs)
	k.prop("content_ref", &o.ContentRef)
}

// MarshalJSON implements json.Marshaler.
func (o *File) MarshalJSON() ([]byte, error) { return encodeRecord(o) }

// UnmarshalJSON implements json.Unmarshaler.
func (o *File) UnmarshalJSON(data []byte) error { return decodeRecord(data, "", o) }

// UserAccount is an account of any system (STIX 2.1, section 6.16). The
// properties about its state and its times stay in Extra.
type UserAccount struct {
	Common
	UserID       string
	Credential   string
	AccountLogin string
	AccountType  string
	DisplayName  string
}

func (o *UserAccount) props(k *codec) {
	o.Common.props(k)
	k.prop("user_id", &o.UserID)
	k.prop("credential", &o.Credential)
	k.prop("account_login", &o.AccountLogin)
	k.prop("account_type", &o.AccountType)
	k.prop("display_name", &o.DisplayName)
}

// MarshalJSON implements json.Marshaler.
func (o *UserAccount) MarshalJSON() ([]byte, error) { return encodeRecord(o) }

// UnmarshalJSON implements json.Unmarshaler.
func (o *UserAccount) UnmarshalJSON(data []byte) error { return decodeRecord(data, "", o) }
