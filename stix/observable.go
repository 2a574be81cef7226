package stix

import (
	"fmt"
	"net/netip"
	"strings"
)

// Observable is a value one can look for: what a simple pattern compares with
// and what an observable object holds.
type Observable struct {
	// Type is an object type, for example "domain-name".
	Type string
	// Property is a property of it, with points between steps and no quotes:
	// "value", "hashes.SHA-256", "user_id".
	Property string
	// Value is an address, a domain name, a hash … For an address it may be a
	// block in CIDR notation, which means every address in it.
	Value string
}

// HashObservable makes the observable of a file hash. The algorithm is told by
// the length: MD5, SHA-1, SHA-256 or SHA-512. The value becomes lower case.
func HashObservable(hash string) (Observable, error) {
	if isHex(hash) {
		for _, algorithm := range []string{"MD5", "SHA-1", "SHA-256", "SHA-512"} {
			if len(hash) == hashDigits(algorithm) {
				return Observable{Type: "file", Property: "hashes." + algorithm, Value: strings.ToLower(hash)}, nil
			}
		}
	}
	return Observable{}, fmt.Errorf("observable: %q is not an MD5, SHA-1, SHA-256 or SHA-512 hash", clip(hash))
}

// AddressObservable makes the observable of an IP address or a CIDR block, in
// its canonical spelling. IPv4 addresses mapped into IPv6 become IPv4.
func AddressObservable(text string) (Observable, error) {
	if addr, err := netip.ParseAddr(text); err == nil && addr.Zone() == "" {
		addr = addr.Unmap()
		return Observable{Type: addressType(addr), Property: "value", Value: addr.String()}, nil
	}
	block, err := netip.ParsePrefix(text)
	if err != nil {
		return Observable{}, fmt.Errorf("observable: %q is not an address or a CIDR block", clip(text))
	}
	return Observable{Type: addressType(block.Addr()), Property: "value", Value: block.Masked().String()}, nil
}

func addressType(addr netip.Addr) string {
	if addr.Is4() {
		return "ipv4-addr"
	}
	return "ipv6-addr"
}

// IsBlock reports whether the observable is a block of addresses.
func (o Observable) IsBlock() bool {
	return (o.Type == "ipv4-addr" || o.Type == "ipv6-addr") && o.Property == "value" && strings.Contains(o.Value, "/")
}

// PatternOf writes the pattern that any of the observables matches:
// [domain-name:value = 'x'] OR [ipv4-addr:value ISSUBSET '198.51.100.0/24'].
func PatternOf(observables ...Observable) (string, error) {
	if len(observables) == 0 {
		return "", fmt.Errorf("pattern: no observables")
	}
	terms := make([]Observation, len(observables))
	for i, o := range observables {
		if o.Value == "" || o.Property == "" || !validTypeName(o.Type) {
			return "", fmt.Errorf("pattern: observable %d: needs a type, a property and a value", i)
		}
		terms[i] = &Match{Test: o.test()}
	}
	if len(terms) == 1 {
		return (&Pattern{Root: terms[0]}).String(), nil
	}
	return (&Pattern{Root: &Joined{Op: "OR", Terms: terms}}).String(), nil
}

func (o Observable) test() *Test {
	path := Path{Type: o.Type}
	// A hash name may hold points of its own; nothing else is nested here.
	if name, ok := strings.CutPrefix(o.Property, "hashes."); ok {
		path.Steps = []Step{{Key: "hashes"}, {Key: name}}
	} else {
		for step := range strings.SplitSeq(o.Property, ".") {
			path.Steps = append(path.Steps, Step{Key: step})
		}
	}
	op := "="
	if o.IsBlock() {
		op = "ISSUBSET"
	}
	return &Test{Path: path, Op: op, Values: []Value{{KindString, o.Value}}}
}

// Object makes the observable object that holds the value, with its
// deterministic identifier. Types and properties other than those of this
// package's structs are refused.
func (o Observable) Object() (Object, error) {
	switch o.Type + ":" + o.Property {
	case "ipv4-addr:value":
		return observable(&IPv4Addr{Value: o.Value}, o.Type)
	case "ipv6-addr:value":
		return observable(&IPv6Addr{Value: o.Value}, o.Type)
	case "domain-name:value":
		return observable(&DomainName{Value: o.Value}, o.Type)
	case "url:value":
		return observable(&URL{Value: o.Value}, o.Type)
	case "email-addr:value":
		return observable(&EmailAddr{Value: o.Value}, o.Type)
	case "user-account:user_id":
		return NewUserAccount("", o.Value, "")
	case "user-account:account_login":
		return NewUserAccount("", "", o.Value)
	case "file:name":
		return NewFile(nil, o.Value)
	}
	if name, ok := strings.CutPrefix(o.Property, "hashes."); ok && o.Type == "file" {
		return NewFile(map[string]string{name: o.Value}, "")
	}
	return nil, fmt.Errorf("observable: no object for %s:%s", clip(o.Type), clip(o.Property))
}

// Observables lists what a pattern looks for, in order, when any one of the
// values alone makes it true: a disjunction of tests for equality, membership
// (IN) or, for addresses, ISSUBSET. It returns false for every other pattern: one
// with AND, FOLLOWEDBY, NOT, a qualifier, another operator, a list index in a
// path, or a comparison with something else than text or a number.
func (p *Pattern) Observables() ([]Observable, bool) {
	var found []Observable
	return found, collectObservation(p.Root, &found)
}

func collectObservation(o Observation, found *[]Observable) bool {
	switch o := o.(type) {
	case *Match:
		return collectComparison(o.Test, found)
	case *Joined:
		if o.Op != "OR" {
			return false
		}
		for _, term := range o.Terms {
			if !collectObservation(term, found) {
				return false
			}
		}
		return true
	}
	return false
}

func collectComparison(c Comparison, found *[]Observable) bool {
	switch c := c.(type) {
	case *Test:
		return collectTest(c, found)
	case *Combined:
		if c.Op != "OR" {
			return false
		}
		for _, term := range c.Terms {
			if !collectComparison(term, found) {
				return false
			}
		}
		return true
	}
	return false
}

func collectTest(t *Test, found *[]Observable) bool {
	property, ok := t.Path.property()
	if !ok || t.Negated || len(t.Values) == 0 {
		return false
	}
	for _, value := range t.Values {
		o := Observable{Type: t.Path.Type, Property: property, Value: value.Text}
		if !o.comparedBy(t.Op, value.Kind) {
			return false
		}
		*found = append(*found, o)
	}
	return true
}

// comparedBy reports whether the operator with this literal means that the
// observable alone matches. An address block under "=" is the block itself, which
// no address equals; under ISSUBSET a single address is a block of one.
func (o Observable) comparedBy(op string, kind Kind) bool {
	switch op {
	case "=", "IN":
		return kind <= KindFloat && !o.IsBlock()
	case "ISSUBSET":
		want := addressFamily(o.Value)
		return o.Property == "value" && want != "" && want == o.Type
	}
	return false
}

// addressFamily is the object type of an address or block, empty for neither.
func addressFamily(text string) string {
	if o, err := AddressObservable(text); err == nil {
		return o.Type
	}
	return ""
}

// property joins the steps with points, false when one is an index or has a point
// of its own, except under hashes, where no step can follow.
func (p Path) property() (string, bool) {
	keys := make([]string, len(p.Steps))
	for i, step := range p.Steps {
		underHashes := i == 1 && keys[0] == "hashes" && len(p.Steps) == 2
		if step.Index != "" || strings.Contains(step.Key, ".") && !underHashes {
			return "", false
		}
		keys[i] = step.Key
	}
	return strings.Join(keys, "."), true
}
