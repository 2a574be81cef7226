package audit_test

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"k8s.io/klog/v2"

	"github.com/aspis-platform/aspis/internal/adapter/sqldb"
	"github.com/aspis-platform/aspis/internal/adapter/tiles"
	"github.com/aspis-platform/aspis/internal/audit"
	"github.com/aspis-platform/aspis/internal/ledger"
	"github.com/aspis-platform/aspis/internal/platform/i18n"
	"github.com/aspis-platform/aspis/internal/platform/seal"
	"github.com/aspis-platform/aspis/internal/sector"
	"github.com/aspis-platform/aspis/internal/web/webtest"
)

// world is the pages over a real database and a real log.
type world struct {
	*webtest.Kit
	db   *sqldb.DB
	file string
	log  *tiles.Log
}

const (
	secret  = "do-not-tell-members"
	reached = "7"
)

func newWorld(t *testing.T) *world {
	klog.SetSlogLogger(slog.New(slog.DiscardHandler))
	ctx, dir := t.Context(), t.TempDir()
	w := &world{Kit: webtest.New(t), file: filepath.Join(dir, "aspis.db")}
	var err error
	if w.db, err = sqldb.Open(ctx, w.file, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.db.Close() })
	w.fill(t)
	key, err := ledger.NewKey()
	if err != nil {
		t.Fatal(err)
	}
	if w.log, err = tiles.Open(ctx, tiles.Config{Dir: filepath.Join(dir, "ledger"), Key: key}); err != nil {
		t.Fatal(err)
	}
	blind, err := ledger.NewBlinder(bytes.Repeat([]byte{1}, ledger.BlindSize))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tiles.NewPublisher(w.log, w.db.Ledger(), blind, slog.Default()).Step(ctx); err != nil {
		t.Fatal(err)
	}
	w.note(t, ledger.Entry{Actor: "user:u-member-administrator", Action: "letter.drop", Object: "letter:fresh", Member: "jade-bank"})
	sealer, err := seal.New(bytes.Repeat([]byte{2}, seal.KeySize), "ledger")
	if err != nil {
		t.Fatal(err)
	}
	svc := audit.NewService(audit.Config{Store: w.db.Ledger(), Log: w.log, Blinder: blind,
		NotYet: func(err error) bool { return errors.Is(err, tiles.ErrNotYet) }})
	directory := sector.NewDirectory(w.db.Sector(), w.db.Sector(), w.db.Sector(), time.Now)
	if err := audit.Mount(w.Routes, w.Shell, svc, directory, sealer); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *world) note(t *testing.T, entries ...ledger.Entry) {
	t.Helper()
	if err := w.db.Ledger().Note(context.Background(), entries...); err != nil {
		t.Fatal(err)
	}
}

// fill invents two members, people and entries about them.
func (w *world) fill(t *testing.T) {
	t.Helper()
	ctx, store := t.Context(), w.db.Sector()
	none := ledger.Entry{Actor: "system", Action: "member.create", Object: "member:x"}
	for _, m := range []sector.Member{
		{ID: "jade-bank", Name: "Jade Bank", NameZh: "玉山腳銀行", Sector: sector.Banking},
		{ID: "camphor-bank", Name: "Camphor Bank", NameZh: "樟樹銀行", Sector: sector.Banking},
	} {
		none.Object, none.Member = "member:"+string(m.ID), string(m.ID)
		if err := store.CreateMember(ctx, m, none); err != nil {
			t.Fatal(err)
		}
	}
	none.Member = ""
	for _, role := range []sector.Role{sector.Administrator, sector.Analyst, sector.MemberAdmin} {
		v := webtest.Viewer(role)
		if err := store.CreateUser(ctx, sector.User{ID: v.User, Email: v.Email, Roles: v.Roles, Member: v.Member}, none); err != nil {
			t.Fatal(err)
		}
	}
	if err := store.CreateUser(ctx, sector.User{ID: "u-camphor", Email: "keeper@camphor.example", Roles: []sector.Role{sector.MemberAdmin}, Member: "camphor-bank"}, none); err != nil {
		t.Fatal(err)
	}
	if err := store.CreateKey(ctx, sector.Key{ID: "jadekey", Member: "jade-bank", Scopes: []sector.Scope{sector.ScopeTAXII},
		Credentials: []sector.Credential{{ID: "c1", Proof: sector.BySecret}}}, "hash",
		ledger.Entry{Actor: "user:u-administrator", Action: "key.create", Object: "key:jadekey", Member: "jade-bank", Detail: `{"scopes":["taxii"],"why":"` + secret + `"}`}); err != nil {
		t.Fatal(err)
	}
	w.note(t,
		ledger.Entry{Actor: "user:u-member-administrator", Action: "advisory.answer", Object: "advisory:a1", Member: "jade-bank", Detail: `{"answer":"blocked"}`},
		ledger.Entry{Actor: "key:jadekey", Action: "letter.resend", Object: "letter:l1", Member: "jade-bank", Detail: `{"batch":"b","corrected":true}`},
		ledger.Entry{Actor: "user:u-camphor", Action: "advisory.answer", Object: "advisory:a1", Member: "camphor-bank", Detail: `{"answer":"affected"}`},
		ledger.Entry{Actor: "user:u-analyst", Action: "advisory.release", Object: "advisory:a1", Detail: `{"decided_by":"u-analyst","approved_by":"u-administrator","members":` + reached + `}`},
		ledger.Entry{Actor: "user:u-gone", Action: "user.password", Object: "user:u-gone", Member: "jade-bank"},
	)
}

var entryLink = regexp.MustCompile(`<tr data-href="([^"]+)"`)

// entries are the links of a list, newest first.
func (w *world) entries(t *testing.T, role sector.Role, path string) []string {
	t.Helper()
	page := w.Get(t, role, i18n.En, path)
	if page.Status != http.StatusOK {
		t.Fatalf("%s: status %d", path, page.Status)
	}
	var links []string
	for _, m := range entryLink.FindAllStringSubmatch(page.Body, -1) {
		links = append(links, m[1])
	}
	return links
}

func TestPages(t *testing.T) {
	w := newWorld(t)
	lists := map[sector.Role][]string{
		sector.Administrator: {"/ledger", "/ledger?action=advisory.release", "/ledger?actor=analyst@aspis.example", "/ledger?object=advisory:a1",
			"/ledger?member=jade-bank", "/ledger?from=2030-01-01T00:00", "/ledger?actor=nobody"},
		sector.MemberAdmin: {"/my-ledger", "/my-ledger?action=key.create", "/my-ledger?actor=nobody"},
	}
	for role, paths := range lists {
		paths = append(paths, w.entries(t, role, paths[0])...)
		for _, path := range paths {
			for _, lang := range i18n.Langs() {
				page := w.Get(t, role, lang, path)
				if page.Status != http.StatusOK {
					t.Errorf("%s as %s: status %d", path, role, page.Status)
				}
				webtest.Check(t, page)
			}
		}
	}
	for path, want := range map[string]int{"/ledger": 13, "/ledger?action=advisory.release": 1, "/ledger?actor=analyst@aspis.example": 1,
		"/ledger?object=advisory:a1": 3, "/ledger?member=jade-bank": 6, "/ledger?actor=key:jadekey": 1, "/ledger?to=2020-01-01": 0} {
		if got := len(w.entries(t, sector.Administrator, path)); got != want {
			t.Errorf("%s lists %d entries, want %d", path, got, want)
		}
	}
}

// Whom people are is shown by address and role, never by an account's id.
func TestPeopleHaveNames(t *testing.T) {
	w := newWorld(t)
	for _, path := range append(w.entries(t, sector.Administrator, "/ledger"), "/ledger") {
		if body := w.Get(t, sector.Administrator, i18n.En, path).Body; strings.Contains(body, "u-a") || strings.Contains(body, "u-gone") {
			t.Errorf("%s shows an account's id", path)
		}
	}
	release := w.entries(t, sector.Administrator, "/ledger?action=advisory.release")[0]
	body := w.Get(t, sector.Administrator, i18n.En, release).Body
	for _, want := range []string{"analyst@aspis.example", "administrator@aspis.example", "Approved by", "In the signed log", "Index in the log"} {
		if !strings.Contains(body, want) {
			t.Errorf("the release's page does not say %q", want)
		}
	}
}

// A member sees what is about itself, and in it neither others, nor who in the
// centre acted, nor how much the others did.
func TestMemberSeesItselfOnly(t *testing.T) {
	w := newWorld(t)
	links := w.entries(t, sector.MemberAdmin, "/my-ledger")
	if len(links) != 6 {
		t.Errorf("%d entries, want 6", len(links))
	}
	for _, path := range append(links, "/my-ledger") {
		body := w.Get(t, sector.MemberAdmin, i18n.En, path).Body
		for _, never := range []string{"camphor", "Camphor", "administrator@aspis.example\"", "u-administrator", secret, "Index in the log", "aspis-ledger-", "tlog-proof"} {
			if strings.Contains(strings.ReplaceAll(body, webtest.Email(sector.MemberAdmin), ""), never) {
				t.Errorf("%s says %q", path, never)
			}
		}
		if strings.Contains(strings.ReplaceAll(body, "member-administrator@aspis.example", ""), "administrator@aspis.example") {
			t.Errorf("%s says who in the centre acted", path)
		}
	}
	key := w.entries(t, sector.MemberAdmin, "/my-ledger?action=key.create")
	if len(key) != 1 {
		t.Fatalf("%d entries of its key", len(key))
	}
	if body := w.Get(t, sector.MemberAdmin, i18n.En, key[0]).Body; !strings.Contains(body, "The centre") || !strings.Contains(body, "taxii") {
		t.Error("its key's entry does not say that the centre made it, and for what")
	}
	for _, filter := range []string{"actor=administrator@aspis.example", "actor=system", "actor=keeper@camphor.example", "member=camphor-bank", "object=member:camphor-bank"} {
		want := 0
		if strings.HasPrefix(filter, "member=") { // no filter of this list
			want = 6
		}
		if got := w.entries(t, sector.MemberAdmin, "/my-ledger?"+filter); len(got) != want {
			t.Errorf("%s finds %d entries", filter, len(got))
		}
	}
	foreign := w.entries(t, sector.Administrator, "/ledger?member=camphor-bank")[0]
	if page := w.Get(t, sector.MemberAdmin, i18n.En, strings.Replace(foreign, "/ledger/", "/my-ledger/", 1)); page.Status != http.StatusNotFound {
		t.Errorf("another's entry answers %d", page.Status)
	}
	if page := w.Post(t, sector.MemberAdmin, i18n.En, links[1]+"/proof", nil); page.Status < 400 {
		t.Errorf("a member takes a proof: %d", page.Status)
	}
}

func (w *world) proof(t *testing.T, link, audience string) ledger.Proof {
	t.Helper()
	page := w.Post(t, sector.Administrator, i18n.En, link+"/proof", url.Values{"for": {audience}})
	if page.Status != http.StatusOK || !strings.Contains(page.Header.Get("Content-Disposition"), ".tlog-proof") {
		t.Fatalf("status %d, %v", page.Status, page.Header)
	}
	proof, err := ledger.ParseProof([]byte(page.Body))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := proof.Verify(w.log.Key()); err != nil {
		t.Fatal(err)
	}
	return proof
}

// TestExportedList: a member's file has the entries about itself and no
// numbers; the centre's has them all.
func TestExportedList(t *testing.T) {
	w := newWorld(t)
	own := w.Post(t, sector.MemberAdmin, i18n.En, "/export/my-ledger?format=csv", nil)
	if own.Status != http.StatusOK || !strings.Contains(own.Body, "Jade") || strings.Contains(own.Body, "camphor") || strings.Contains(own.Body, "Camphor") || strings.Contains(own.Body, secret) {
		t.Errorf("the member's file (%d):\n%s", own.Status, own.Body)
	}
	if n := len(w.entries(t, sector.MemberAdmin, "/my-ledger")); strings.Count(own.Body, "\n") != n+1 {
		t.Errorf("the file has %d lines, the list %d entries", strings.Count(own.Body, "\n"), n)
	}
	all := w.Post(t, sector.Administrator, i18n.En, "/export/ledger?format=csv&action=advisory.answer", nil)
	if strings.Count(all.Body, "\n") != 3 || !strings.Contains(all.Body, "keeper@camphor.example Member administrator") || strings.Contains(all.Body, "key.create") {
		t.Errorf("the centre's file:\n%s", all.Body)
	}
	if page := w.Post(t, sector.MemberAdmin, i18n.En, "/export/ledger?format=csv", nil); page.Status != http.StatusForbidden {
		t.Errorf("a member takes the whole ledger: %d", page.Status)
	}
}

func TestExport(t *testing.T) {
	w := newWorld(t)
	before := len(w.entries(t, sector.Administrator, "/ledger"))
	key := w.entries(t, sector.Administrator, "/ledger?action=key.create")[0]
	if text := told(t, w.proof(t, key, "centre")); !strings.Contains(text, "u-administrator") || !strings.Contains(text, secret) {
		t.Errorf("the full proof holds %s", text)
	}
	if text := told(t, w.proof(t, key, "member")); strings.Contains(text, "u-administrator") || strings.Contains(text, secret) || !strings.Contains(text, "key.create") {
		t.Errorf("the member's proof holds %s", text)
	}
	answer := w.entries(t, sector.Administrator, "/ledger?action=advisory.answer&member=jade-bank")[0]
	if text := told(t, w.proof(t, answer, "member")); !strings.Contains(text, "blocked") || !strings.Contains(text, "u-member-administrator") {
		t.Errorf("the member's proof of its own answer holds %s", text)
	}
	if got := len(w.entries(t, sector.Administrator, "/ledger?action=ledger.export")); got != 3 || len(w.entries(t, sector.Administrator, "/ledger")) != before+3 {
		t.Errorf("%d entries say that proofs were taken", got)
	}
	release := w.entries(t, sector.Administrator, "/ledger?action=advisory.release")[0]
	if page := w.Post(t, sector.Administrator, i18n.En, release+"/proof", url.Values{"for": {"member"}}); page.Status != http.StatusUnprocessableEntity && page.Status != http.StatusBadRequest {
		t.Errorf("a proof for no member: %d", page.Status)
	}
	fresh := w.entries(t, sector.Administrator, "/ledger?object=letter:fresh")[0]
	if page := w.Post(t, sector.Administrator, i18n.En, fresh+"/proof", nil); page.Status != http.StatusConflict {
		t.Errorf("a proof of what is not signed yet: %d", page.Status)
	}
}

// told is everything that a proof tells of its entry.
func told(t *testing.T, p ledger.Proof) string {
	t.Helper()
	raw, err := json.Marshal(p.Entry)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// A row that was changed after it was signed is not shown as proved.
func TestChangedRowIsNotProved(t *testing.T) {
	w := newWorld(t)
	release := w.entries(t, sector.Administrator, "/ledger?action=advisory.release")[0]
	err := w.db.Write(t.Context(), func(tx *sql.Tx) error {
		_, err := tx.ExecContext(t.Context(), `UPDATE ledger SET actor = 'user:u-administrator' WHERE action = 'advisory.release'`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, lang := range i18n.Langs() {
		page := w.Get(t, sector.Administrator, lang, release)
		webtest.Check(t, page)
		if want := map[i18n.Lang]string{i18n.En: "Not proved", i18n.ZhHant: "無法證明"}[lang]; !strings.Contains(page.Body, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
}

// Pages follow each other without gap or double, and a cursor opens nothing
// but its list.
func TestListIsPagedByKey(t *testing.T) {
	w := newWorld(t)
	for range 60 {
		w.note(t, ledger.Entry{Actor: "system", Action: "alert.raise", Object: "alert:x"})
	}
	page := w.Get(t, sector.Administrator, i18n.En, "/ledger?action=alert.raise")
	next := regexp.MustCompile(`href="(/ledger\?[^"]*after=[^"]+)"`).FindStringSubmatch(page.Body)
	if next == nil {
		t.Fatal("no next page")
	}
	rest := w.entries(t, sector.Administrator, strings.ReplaceAll(next[1], "&amp;", "&"))
	if first := w.entries(t, sector.Administrator, "/ledger?action=alert.raise"); len(first) != 50 || len(rest) != 10 || first[49] == rest[0] {
		t.Errorf("%d and %d entries", len(first), len(rest))
	}
	cursor := regexp.MustCompile(`after=([^"&]+)`).FindStringSubmatch(next[1])[1]
	if got := w.Get(t, sector.Administrator, i18n.En, "/ledger/"+cursor); got.Status != http.StatusNotFound {
		t.Errorf("a cursor opens an entry: %d", got.Status)
	}
}
