package event

import (
	"net/netip"
	"strings"
)

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

// Observable is one observable a record mentions, and the field that it was
// found in first. Its texts are its own: they outlive the record. Values are
// normalised:
//
//   - addresses as [netip.Addr] writes them, without zone, IPv4 in IPv6 as IPv4;
//   - domains, hosts and mail addresses in lower case, domains in ASCII (IDNA);
//   - URLs with scheme and host in lower case, the rest as written;
//   - hashes in lower-case hexadecimal;
//   - accounts in lower case, as domain\name where the domain is known.
type Observable struct {
	Kind  ObservableKind
	Value string
	Field string
}

// Internal says whether the observable belongs inside an organisation: a
// private, loopback, link-local or carrier-grade NAT address (RFC 1918, 4193,
// 3927, 6598), a name of one label or under a suffix that is never public, and
// every account that is no mail address.
func (o Observable) Internal() bool {
	switch o.Kind {
	case ObservableIPv4, ObservableIPv6:
		return internalAddress(o.Value)
	case ObservableDomain, ObservableHost:
		return internalName(o.Value)
	case ObservableEmail:
		return internalName(o.Value[strings.LastIndexByte(o.Value, '@')+1:])
	case ObservableURL:
		host := hostOfURL(o.Value)
		return internalAddress(host) || internalName(host)
	case ObservableAccount:
		return true
	default:
		return false
	}
}

func internalAddress(text string) bool {
	a, err := netip.ParseAddr(text)
	if err != nil {
		return false
	}
	shared := netip.PrefixFrom(netip.AddrFrom4([4]byte{100, 64, 0, 0}), 10)
	return a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast() || a.IsMulticast() || a.IsUnspecified() ||
		a.IsInterfaceLocalMulticast() || shared.Contains(a)
}

// internalName knows the suffixes of RFC 6761, 6762, 8375, ICANN's .internal
// and those that name collisions have kept out of the root.
func internalName(name string) bool {
	if _, err := netip.ParseAddr(name); err == nil {
		return internalAddress(name)
	}
	dot := strings.LastIndexByte(name, '.')
	if dot < 0 {
		return name != ""
	}
	switch name[dot+1:] {
	case "local", "internal", "lan", "corp", "home", "intranet", "private", "localdomain", "localhost", "test", "invalid", "example":
		return true
	}
	return strings.HasSuffix(name, ".home.arpa")
}

// maxObservables bounds what one record may yield.
const maxObservables = 256

// Observables returns what the record mentions, each once, in the order of the
// record, at most 256.
func (e *Event) Observables() []Observable {
	c := collector{out: make([]Observable, 0, 8)}
	w := walker{tape: &e.tape, visit: func(field string, n *node) bool {
		if n.kind == String {
			c.leaf(field, e.tape.body(n))
		}
		return len(c.out) < maxObservables
	}}
	w.run()
	e.joinedAccounts(&c)
	e.joinedURL(&c)
	return c.owned()
}

// joinedAccounts adds accounts whose domain stands in a field of its own.
func (e *Event) joinedAccounts(c *collector) {
	if !e.windows() {
		return
	}
	for _, prefix := range [...]string{"Subject", "Target"} {
		name, domain := e.tape.str(prefix+"UserName"), e.tape.str(prefix+"DomainName")
		if name != "" && !strings.Contains(name, `\`) && !strings.Contains(name, "@") {
			c.field = prefix + "UserName"
			c.account(domain, name)
		}
	}
}

// joinedURL adds the URL that a network monitor saw in two parts.
func (e *Event) joinedURL(c *collector) {
	host, path := "", ""
	switch {
	case e.dialect == Zeek && e.source.Service == "http":
		host, path, c.field = e.tape.str("host"), e.tape.str("uri"), "uri"
	case e.dialect == Suricata && e.source.Service == "http":
		host, path, c.field = e.text("http.hostname"), e.text("http.url"), "http.url"
	}
	if host != "" && strings.HasPrefix(path, "/") {
		c.url("http://" + host + path)
	}
}

// collector gathers the observables of one record.
type collector struct {
	out   []Observable
	field string // that is being read
	role  role
}

// add keeps a normalised value once.
func (c *collector) add(kind ObservableKind, value string) {
	if len(c.out) >= maxObservables || value == "" || len(value) > 2048 {
		return
	}
	for i := range c.out {
		if c.out[i].Kind == kind && c.out[i].Value == value {
			return
		}
	}
	field := c.field
	if len(field) > 256 {
		field = strings.ToValidUTF8(field[:256], "")
	}
	c.out = append(c.out, Observable{Kind: kind, Value: value, Field: field})
}

// owned moves all texts out of the record into one piece of memory.
func (c *collector) owned() []Observable {
	size := 0
	for _, o := range c.out {
		size += len(o.Value) + len(o.Field)
	}
	buf := make([]byte, 0, size)
	own := func(text string) string {
		start := len(buf)
		buf = append(buf, text...)
		return view(buf[start:])
	}
	for i := range c.out {
		o := &c.out[i]
		o.Value, o.Field = own(o.Value), own(o.Field)
	}
	return c.out
}

// role is what a field's name says of its text.
type role uint8

const (
	plain    role = iota
	nameRole      // a domain name, so file names are not to be feared
	hostRole
	accountRole
	skipRole // looks like observables but is none: versions, ids
)

// roleOf knows the field names of all dialects by their last part.
func roleOf(field string) role {
	switch field[strings.LastIndexByte(field, '.')+1:] {
	case "Computer", "ComputerName", "Hostname", "hostname", "HostName", "WorkstationName", "Workstation",
		"DestinationHostname", "SourceHostname", "computer_name", "host_name", "server_nb_computer_name",
		"server_dns_computer_name", "workstation", "node":
		return hostRole
	case "User", "SubjectUserName", "TargetUserName", "SourceUser", "TargetUser", "ParentUser", "user", "username",
		"userName", "UserName", "AccountName", "acct", "src_user", "dst_user", "client_principal":
		return accountRole
	case "query", "QueryName", "rrname", "server_name", "sni", "domain", "host", "cs-host", "r-dns", "ServerName":
		return nameRole
	case "FileVersion", "ProductVersion", "EngineVersion", "HostVersion", "version", "Version", "imphash", "Imphash",
		"IMPHASH", "@version", "eventVersion", "sc_version", "OriginalFileName", "user_agent", "userAgent":
		return skipRole
	case "name":
		if strings.HasSuffix(field, "host.name") {
			return hostRole
		}
		if strings.HasSuffix(field, "user.name") {
			return accountRole
		}
	}
	return plain
}

// leaf reads one field's text.
func (c *collector) leaf(field, text string) {
	if len(text) < 2 {
		return
	}
	c.field, c.role = field, roleOf(field)
	switch c.role {
	case skipRole:
		return
	case hostRole:
		c.host(text)
	case accountRole:
		c.accountText(text)
	}
	c.scan(text)
}

// host adds a host name or, where a field of that name holds one, an address.
func (c *collector) host(text string) {
	text = strings.ToLower(strings.TrimSuffix(strings.TrimSpace(text), "."))
	if len(text) < 2 || len(text) > 253 || strings.IndexByte("-(", text[0]) >= 0 {
		return
	}
	if _, err := netip.ParseAddr(text); err == nil {
		return // the scan finds it
	}
	for i := 0; i < len(text); i++ {
		if charClass[text[i]]&(clsName|clsDot) == 0 {
			return
		}
	}
	c.add(ObservableHost, text)
}

// accountText adds an account written as name, DOMAIN\name or name@domain.
func (c *collector) accountText(text string) {
	domain, name := "", strings.TrimSpace(text)
	if cut := strings.IndexByte(name, '\\'); cut >= 0 {
		domain, name = name[:cut], name[cut+1:]
	}
	if domain == "" && (strings.HasPrefix(c.field, "SubjectU") || strings.HasPrefix(c.field, "TargetUserN")) {
		return // joined with its domain later
	}
	c.account(domain, name)
}

// account adds an account, leaving out the ones every machine has.
func (c *collector) account(domain, name string) {
	if name == "" || len(name) > 256 || strings.ContainsAny(name, "\r\n\t") {
		return
	}
	name, domain = strings.ToLower(name), strings.ToLower(domain)
	switch name {
	case "-", "system", "local service", "network service", "anonymous logon", "unset", "n/a", "(null)", "(unknown)":
		return
	}
	switch domain {
	case "", "-", "nt authority", "window manager", "font driver host":
		if domain != "" && domain != "-" {
			return
		}
	default:
		name = domain + `\` + name
	}
	c.add(ObservableAccount, name)
}
