package organisation

import (
	"errors"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/net/idna"
	"golang.org/x/net/publicsuffix"
	"golang.org/x/text/unicode/norm"

	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/sector"
)

// Limits of a profile.
const (
	maxName  = 100 // characters of a name
	maxEntry = 300 // characters of any other entry
	MaxList  = 500 // entries of a list
)

// Problem is what is wrong with a field, and in which entry of a list (from
// 1; 0 for none).
type Problem struct {
	Field string
	Line  int
	Err   *errs.Error
}

// ProblemsError is everything that is wrong with a profile.
type ProblemsError struct{ Problems []Problem }

func (e *ProblemsError) Error() string { return "profile: " + e.Problems[0].Err.Error() }

// Unwrap gives the error its kind.
func (e *ProblemsError) Unwrap() error { return e.Problems[0].Err }

// checker collects problems while a profile is brought into its one form.
type checker struct{ problems []Problem }

func (c *checker) note(field string, line int, err error) {
	if e, ok := errors.AsType[*errs.Error](err); ok {
		c.problems = append(c.problems, Problem{field, line, e})
	}
}

func (c *checker) one(field, text string, form func(string) (string, error)) string {
	if strings.TrimSpace(text) == "" {
		return ""
	}
	clean, err := form(text)
	c.note(field, 0, err)
	return clean
}

func (c *checker) list(field string, texts []string, form func(string) (string, error)) []string {
	var all []string
	for i, text := range texts {
		if strings.TrimSpace(text) == "" {
			continue
		}
		clean, err := form(text)
		c.note(field, i+1, err)
		all = append(all, clean)
	}
	if len(all) > MaxList {
		c.note(field, 0, errs.New(errs.Invalid, "profile.many", MaxList, len(all)))
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// Check brings a profile into its one form, or says what is wrong with it, in
// a [*ProblemsError].
func Check(p Profile) (Profile, error) {
	c := &checker{}
	for at, text := range map[string]*string{"name_zh": &p.NameZh, "name": &p.Name} {
		*text = c.one(at, *text, name)
	}
	p.StockCode, p.BIC = c.one("stock_code", p.StockCode, stockCode), c.one("bic", p.BIC, bic)
	if !slices.Contains(SizeClasses(), p.Size) {
		c.note("size", 0, errs.New(errs.Invalid, "common.form.option"))
	}
	p.Contacts = c.contacts(p.Contacts)
	p.Networks, p.Domains = c.list("networks", p.Networks, network), c.list("domains", p.Domains, domain)
	p.Brands, p.Suppliers = c.list("brands", p.Brands, name), c.list("suppliers", p.Suppliers, name)
	p.Products = c.list("products", p.Products, cpe)
	if len(c.problems) > 0 {
		return Profile{}, &ProblemsError{c.problems}
	}
	return p, nil
}

func (c *checker) contacts(given map[Duty]Contact) map[Duty]Contact {
	clean := map[Duty]Contact{}
	for _, d := range Duties() {
		who := given[d]
		field := "contact_" + string(d)
		who.Name, who.Mail = c.one(field+"_name", who.Name, name), c.one(field+"_mail", who.Mail, sector.MailAddress)
		who.Phone = c.one(field+"_phone", who.Phone, phone)
		if who.Round && who.Phone == "" {
			c.note(field+"_phone", 0, errs.New(errs.Invalid, "profile.round_needs_phone"))
		}
		if who != (Contact{}) {
			clean[d] = who
		}
	}
	return clean
}

func name(text string) (string, error) { return sector.Line(text, maxName) }

// ascii refuses what only looks like an address: every character that is
// written in another width or form, or is not ASCII at all.
func ascii(text string) (string, error) {
	line, err := sector.Line(text, maxEntry)
	if err != nil {
		return "", err
	}
	for _, r := range line {
		if r > 0x7e {
			return "", errs.New(errs.Invalid, "profile.ascii", string(r))
		}
	}
	return line, nil
}

var phoneForm = regexp.MustCompile(`^\+?[0-9][0-9 ()-]{4,24}[0-9](?: ?(?:#|ext\.? ?)[0-9]{1,8})?$`)

func phone(text string) (string, error) {
	line, err := ascii(text)
	if err == nil && !phoneForm.MatchString(line) {
		err = errs.New(errs.Invalid, "profile.phone", line)
	}
	return line, err
}

var stockForm = regexp.MustCompile(`^[0-9A-Z]{4,8}$`)

func stockCode(text string) (string, error) {
	line, err := ascii(text)
	line = strings.ToUpper(line)
	if err == nil && !stockForm.MatchString(line) {
		err = errs.New(errs.Invalid, "profile.stock_code", line)
	}
	return line, err
}

// bicForm is ISO 9362:2022: party, country, party suffix, branch.
var bicForm = regexp.MustCompile(`^[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}([A-Z0-9]{3})?$`)

func bic(text string) (string, error) {
	line, err := ascii(text)
	line = strings.ToUpper(strings.ReplaceAll(line, " ", ""))
	if err == nil && !bicForm.MatchString(line) {
		err = errs.New(errs.Invalid, "profile.bic", line)
	}
	return line, err
}

// The widest networks that a member may claim.
const (
	widest4 = 8
	widest6 = 19
)

func network(text string) (string, error) {
	line, err := ascii(text)
	if err != nil {
		return "", err
	}
	if a, err := netip.ParseAddr(line); err == nil {
		line = netip.PrefixFrom(a, a.BitLen()).String()
	}
	p, err := netip.ParsePrefix(line)
	switch {
	case err != nil || p.Addr().Is4In6() || p.Addr().Zone() != "":
		return "", errs.New(errs.Invalid, "profile.network", line)
	case p != p.Masked():
		return "", errs.New(errs.Invalid, "profile.network_start", line, p.Masked().String())
	case p.Addr().Is4() && p.Bits() < widest4 || p.Addr().Is6() && p.Bits() < widest6:
		return "", errs.New(errs.Invalid, "profile.network_wide", line)
	case !p.Addr().IsGlobalUnicast() || p.Addr().IsPrivate():
		return "", errs.New(errs.Invalid, "profile.network_inside", line)
	}
	return p.String(), nil
}

// domain is a name under which others may be registered or that is one, in
// its A-label form. Names in other forms of ASCII letters are refused rather
// than mapped: they look like a name that they are not.
func domain(text string) (string, error) {
	line, err := sector.Line(text, maxEntry)
	if err != nil {
		return "", err
	}
	line = strings.TrimSuffix(strings.ToLower(line), ".")
	if norm.NFKC.String(line) != line || strings.ContainsRune(line, '。') {
		return "", errs.New(errs.Invalid, "profile.domain_form", line)
	}
	label, err := idna.Lookup.ToASCII(line)
	if err != nil || !strings.Contains(label, ".") || strings.Contains(label+".", "..") || len(label) > 253 {
		return "", errs.New(errs.Invalid, "profile.domain", line)
	}
	if suffix, icann := publicsuffix.PublicSuffix(label); suffix == label && icann {
		return "", errs.New(errs.Invalid, "profile.domain_suffix", line)
	}
	if _, err := netip.ParseAddr(label); err == nil {
		return "", errs.New(errs.Invalid, "profile.domain", line)
	}
	return label, nil
}

// cpeForm is the formatted string of CPE 2.3 (NIST IR 7695, section 6.2).
var cpeForm = func() *regexp.Regexp { //nolint:gochecknoglobals // a constant in all but name
	text := `(?:(?:\?*|\*?)(?:[a-zA-Z0-9\-._]|\\[\\*?!"#$%&'()+,/:;<=>@\[\]^` + "`" + `{|}~])+(?:\?*|\*?)|[*\-])`
	lang := `(?:[a-zA-Z]{2,3}(?:-(?:[a-zA-Z]{2}|[0-9]{3}))?|[*\-])`
	return regexp.MustCompile(`^cpe:2\.3:[aho*\-](?::` + text + `){5}:` + lang + `(?::` + text + `){4}$`)
}()

func cpe(text string) (string, error) {
	line, err := ascii(text)
	line = strings.ToLower(line)
	if err == nil && !cpeForm.MatchString(line) {
		err = errs.New(errs.Invalid, "profile.cpe", line)
	}
	return line, err
}
