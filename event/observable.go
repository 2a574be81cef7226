package event

// ObservableKind is the kind of an [Observable].
type ObservableKind uint8

// The kinds of observable that are extracted from records.
const (
	ObservableUnknown ObservableKind = iota
	ObservableIPv4
	ObservableIPv6
	ObservableDomain
	ObservableURL
	ObservableEmail
	ObservableMD5
	ObservableSHA1
	ObservableSHA256
	ObservableHost
	ObservableAccount
)

// String names the kind as stored and shown: "ipv4", "ipv6", "domain", "url",
// "email", "md5", "sha1", "sha256", "host", "account".
func (k ObservableKind) String() string {
	names := [...]string{
		"unknown", "ipv4", "ipv6", "domain", "url", "email",
		"md5", "sha1", "sha256", "host", "account",
	}
	if int(k) < len(names) {
		return names[k]
	}
	return names[0]
}

// Observable is one observable a record mentions: its normalised value and the
// field that it was found in first.
type Observable struct {
	Kind  ObservableKind
	Value string
	Field string
}
