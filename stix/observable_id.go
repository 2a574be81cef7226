package stix

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// idContributing lists, in the order of the specification, the properties whose
// values make the deterministic identifier of an observable type (STIX 2.1,
// chapter 6, "ID Contributing Properties"). Nil means the type has none.
func idContributing(typ string) []string {
	switch typ {
	case "ipv4-addr", "ipv6-addr", "domain-name", "url", "email-addr", "mac-addr":
		return []string{"value"}
	case "file":
		return []string{"hashes", "name", "extensions", "parent_directory_ref"}
	case "user-account":
		return []string{"account_type", "user_id", "account_login"}
	case "artifact":
		return []string{"hashes", "payload_bin"}
	case "autonomous-system":
		return []string{"number"}
	case "directory":
		return []string{"path"}
	case "email-message":
		return []string{"from_ref", "subject", "body"}
	case "mutex":
		return []string{"name"}
	case "network-traffic":
		return []string{"start", "end", "src_ref", "dst_ref", "src_port", "dst_port", "protocols", "extensions"}
	case "software":
		return []string{"name", "cpe", "swid", "vendor", "version"}
	case "windows-registry-key":
		return []string{"key", "values"}
	case "x509-certificate":
		return []string{"hashes", "serial_number"}
	}
	return nil
}

// isObservable reports whether typ is a cyber-observable of the specification.
func isObservable(typ string) bool { return typ == "process" || idContributing(typ) != nil }

// ObservableID computes the deterministic identifier of an observable (STIX 2.1,
// section 2.9): version 5 over the canonical JSON of the contributing properties
// that are present. An object with none of them has no such identifier and gets
// a random one, as the specification asks.
func ObservableID(o Object) (ID, error) {
	typ := o.Head().Type
	if !isObservable(typ) {
		return "", fmt.Errorf("observable id: %q is not an observable type", clip(typ))
	}
	raw, err := o.MarshalJSON()
	if err != nil {
		return "", fmt.Errorf("observable id: %w", err)
	}
	var all map[string]json.RawMessage
	if err := json.Unmarshal(raw, &all); err != nil {
		return "", fmt.Errorf("observable id: %w", err)
	}
	seed, err := idSeed(typ, all)
	if err != nil {
		return "", fmt.Errorf("observable id: %w", err)
	}
	if seed == nil {
		return NewID(typ), nil
	}
	return MakeID(typ, NameUUID(ObservableNamespace(), seed)), nil
}

// idSeed is the canonical JSON that names the observable, nil when there is
// nothing to name it by.
func idSeed(typ string, all map[string]json.RawMessage) ([]byte, error) {
	seed := map[string]json.RawMessage{}
	for _, name := range idContributing(typ) {
		raw, ok := all[name]
		if !ok {
			continue
		}
		if name == "hashes" {
			one, err := oneHash(raw)
			if err != nil {
				return nil, err
			}
			raw = one
		}
		seed[name] = raw
	}
	if len(seed) == 0 {
		return nil, nil
	}
	var text bytes.Buffer
	if err := json.NewEncoder(&text).Encode(seed); err != nil {
		return nil, err
	}
	return Canonical(text.Bytes())
}

// oneHash keeps the single hash that contributes: the first there is of MD5,
// SHA-1, SHA-256, SHA-512, otherwise the first by name.
func oneHash(raw json.RawMessage) (json.RawMessage, error) {
	var hashes map[string]string
	if err := json.Unmarshal(raw, &hashes); err != nil {
		return nil, &PropertyError{Path: "hashes", Reason: "must map algorithm names to strings"}
	}
	names := append([]string{"MD5", "SHA-1", "SHA-256", "SHA-512"}, slices.Sorted(maps.Keys(hashes))...)
	for _, name := range names {
		if value, ok := hashes[name]; ok {
			return marshal(map[string]string{name: value})
		}
	}
	return raw, nil
}

// observable finishes a new observable: type, version and deterministic id.
func observable[T Object](o T, typ string) (T, error) {
	head := o.Head()
	head.Type, head.SpecVersion = typ, SpecVersion
	id, err := ObservableID(o)
	head.ID = id
	return o, err
}

// NewFile makes a file object with its deterministic identifier. At least one of
// the hashes and the name must be given.
func NewFile(hashes map[string]string, name string) (*File, error) {
	if len(hashes) == 0 && name == "" {
		return nil, &PropertyError{Path: "hashes", Reason: "a file needs a hash or a name"}
	}
	return observable(&File{Hashes: hashes, Name: name}, "file")
}

// NewUserAccount makes an account with its deterministic identifier. kind is of
// account-type-ov, for example "windows-domain", and may be empty.
func NewUserAccount(kind, userID, login string) (*UserAccount, error) {
	if userID == "" && login == "" {
		return nil, &PropertyError{Path: "user_id", Reason: "an account needs a user_id or an account_login"}
	}
	return observable(&UserAccount{AccountType: kind, UserID: userID, AccountLogin: login}, "user-account")
}
