package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"

	"github.com/aspis-platform/aspis/internal/client"
	"github.com/aspis-platform/aspis/internal/platform/errs"
)

type memberProfileCmd struct {
	Show    profileShowCmd    `cmd:"" help:"Show your member's profile, or for the centre a member's."`
	Set     profileSetCmd     `cmd:"" help:"Change fields of your member's profile."`
	Confirm profileConfirmCmd `cmd:"" help:"Confirm that a part of your member's profile is right."`
	Due     profileDueCmd     `cmd:"" help:"For the centre: list whose profiles are to be confirmed."`
}

const ownProfile = "/api/v1/profile"

type profileShowCmd struct {
	remoteFlags
	Member string `arg:"" optional:"" help:"For the centre: the member's id; default: your own."`
}

func (c profileShowCmd) Run(e *env) error {
	if c.Member == "" {
		return one(e, c.remoteFlags, client.Request{Path: ownProfile}, profileLines)
	}
	return one(e, c.remoteFlags, client.Request{Path: below(members, c.Member, "profile")}, func(p client.MemberProfile) [][2]string {
		var overlaps []string
		for _, o := range p.Overlaps {
			overlaps = append(overlaps, fmt.Sprintf("%s = %s (%s)", o.Mine, o.Theirs, o.Member))
		}
		return append(profileLines(p.Profile), [2]string{"overlaps", strings.Join(overlaps, "\n")})
	})
}

func profileLines(p client.Profile) [][2]string {
	f := p.Profile
	var contacts []string
	for _, duty := range slices.Sorted(maps.Keys(f.Contacts)) {
		who := f.Contacts[duty]
		line := strings.Join(slices.DeleteFunc([]string{who.Name, who.Mail, who.Phone}, func(s string) bool { return s == "" }), ", ")
		if who.Round {
			line += ", 24 h"
		}
		contacts = append(contacts, duty+": "+line)
	}
	lines := func(list []string) string { return strings.Join(list, "\n") }
	return [][2]string{
		{"member", p.Member}, {"version", fmt.Sprint(p.Version)}, {"name_zh", f.NameZh}, {"name", f.Name}, {"size", f.Size},
		{"stock_code", f.StockCode}, {"bic", f.BIC}, {"contacts", lines(contacts)}, {"networks", lines(f.Networks)},
		{"domains", lines(f.Domains)}, {"brands", lines(f.Brands)}, {"products", lines(f.Products)}, {"suppliers", lines(f.Suppliers)},
	}
}

type profileSetCmd struct {
	remoteFlags
	Fields    string    `arg:"" optional:"" help:"A file with the fields to change as JSON; - reads standard input."`
	Version   int       `default:"-1" help:"Of what you read; default: the version there is."`
	NameZh    *string   `help:"The registered name in Chinese."`
	Name      *string   `help:"The registered name in English."`
	Size      *string   `help:"small, medium, large or systemic."`
	StockCode *string   `help:"The stock code."`
	BIC       *string   `name:"bic" help:"The BIC (ISO 9362)."`
	Networks  *[]string `help:"All networks, as CIDR; separated by commas."`
	Domains   *[]string `help:"All domains; separated by commas."`
	Brands    *[]string `help:"All brands; separated by commas."`
}

func (c profileSetCmd) Run(e *env) error {
	fields, err := c.fields(e)
	if err != nil {
		return err
	}
	return c.with(e, func(cl *client.Client) error {
		tag, err := profileTag(e, cl, c.Version)
		if err != nil {
			return err
		}
		var p client.Raw[client.Profile]
		if _, err := cl.Do(e.ctx, client.Request{Method: http.MethodPatch, Path: ownProfile, Body: fields, Match: tag}, &p); err != nil {
			return err
		}
		return show(e, c.remoteFlags, p, profileLines)
	})
}

// profileTag is the ETag of a version of the profile; below 0, of the one
// there is.
func profileTag(e *env, cl *client.Client, version int) (string, error) {
	if version >= 0 {
		return fmt.Sprintf(`"v%d"`, version), nil
	}
	return cl.Do(e.ctx, client.Request{Path: ownProfile}, nil)
}

// fields are those of the file and those of the flags.
func (c profileSetCmd) fields(e *env) (map[string]any, error) {
	fields := map[string]any{}
	if c.Fields != "" {
		raw, err := e.file(c.Fields)
		if err != nil {
			return nil, err
		}
		if json.Unmarshal(raw, &fields) != nil {
			return nil, errs.New(errs.Invalid, "cli.not_json", c.Fields)
		}
	}
	for name, value := range map[string]*string{"name_zh": c.NameZh, "name": c.Name, "size": c.Size, "stock_code": c.StockCode, "bic": c.BIC} {
		if value != nil {
			fields[name] = *value
		}
	}
	for name, list := range map[string]*[]string{"networks": c.Networks, "domains": c.Domains, "brands": c.Brands} {
		if list != nil {
			fields[name] = append([]string{}, *list...)
		}
	}
	if len(fields) == 0 {
		return nil, errs.New(errs.Invalid, "cli.profile.nothing")
	}
	return fields, nil
}

// maxFile bounds a file that is sent, in bytes.
const maxFile = 256 << 10

// file is a file's content, or standard input for "-".
func (e *env) file(name string) ([]byte, error) {
	from := e.In
	if name != "-" {
		f, err := os.Open(name) //nolint:gosec // named by the user
		if err != nil {
			return nil, errs.New(errs.Invalid, "cli.file", name, err.Error()).Because(err)
		}
		defer f.Close()
		from = f
	}
	raw, err := io.ReadAll(io.LimitReader(from, maxFile+1))
	if err == nil && len(raw) > maxFile {
		err = errs.New(errs.TooLarge, "cli.file_large", name, maxFile)
	}
	return raw, err
}

type profileConfirmCmd struct {
	remoteFlags
	Part    string `arg:"" enum:"contacts,networks" help:"contacts, or networks (and domains)."`
	Version int    `default:"-1" help:"Of what you read; default: the version there is."`
}

func (c profileConfirmCmd) Run(e *env) error {
	return c.with(e, func(cl *client.Client) error {
		tag, err := profileTag(e, cl, c.Version)
		if err != nil {
			return err
		}
		var s client.Raw[client.Confirmations]
		_, err = cl.Do(e.ctx, client.Request{Method: http.MethodPost, Path: ownProfile + "/confirm", Body: map[string]string{"part": c.Part}, Match: tag}, &s)
		if err != nil {
			return err
		}
		return show(e, c.remoteFlags, s, func(s client.Confirmations) [][2]string {
			return [][2]string{{"member", s.Member}, {"contacts", e.due(s.Contacts)}, {"networks", e.due(s.Networks)}}
		})
	})
}

// due is when something is to be confirmed, and whether that is past.
func (e *env) due(d client.Due) string {
	if d.Late {
		return e.t("cli.late", stamp(d.Due))
	}
	return stamp(d.Due)
}

type profileDueCmd struct {
	listFlags
	Late bool `help:"Only those that are overdue."`
}

func (c profileDueCmd) Run(e *env) error {
	q := client.Request{Path: "/api/v1/confirmations"}
	if c.Late {
		q.Query = map[string][]string{"late": {"true"}}
	}
	return listed(e, c.listFlags, q, "confirmations", []string{"member", "contacts", "networks"}, func(s client.Confirmations) []string {
		return []string{s.Member, e.due(s.Contacts), e.due(s.Networks)}
	})
}
