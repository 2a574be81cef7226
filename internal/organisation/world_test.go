package organisation_test

import (
	"context"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/aspis-platform/aspis/internal/adapter/sqldb"
	"github.com/aspis-platform/aspis/internal/organisation"
	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/sector"
	"github.com/aspis-platform/aspis/internal/web/webtest"
)

// world is the service on a real store: jade-bank, whose people webtest signs
// in, and fir-bank, each with an administrator and a person of its staff.
type world struct {
	*organisation.Service
	db        *sqldb.DB
	directory *sector.Directory
	now       time.Time
	people    map[string]sector.User // by address
}

func newWorld(t *testing.T) *world {
	t.Helper()
	db, err := sqldb.Open(context.Background(), filepath.Join(t.TempDir(), "aspis.db"), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { must(t, db.Close()) })
	w := &world{db: db, now: webtest.Now(), people: map[string]sector.User{}}
	clock := func() time.Time { return w.now }
	w.directory = sector.NewDirectory(db.Sector(), db.Sector(), db.Sector(), clock)
	store := db.Organisation()
	w.Service = organisation.New(organisation.Config{
		Members: w.directory, States: w.directory, Profiles: store, Store: store, Accounts: w.directory, Groups: store, Now: clock})
	for _, m := range []sector.Member{
		{ID: "jade-bank", Name: "Jade Valley Bank", NameZh: "玉山谷銀行", Sector: sector.Banking},
		{ID: "fir-bank", Name: "Fir Bank", NameZh: "冷杉銀行", Sector: sector.Banking},
		{ID: "plum-sec", Name: "Plum Ridge Securities", NameZh: "梅嶺證券", Sector: sector.Securities},
	} {
		_, err := w.directory.CreateMember(t.Context(), sector.System(), m)
		must(t, err)
		w.person(t, "admin@"+string(m.ID)+".example", m.ID, sector.MemberAdmin)
		w.person(t, "staff@"+string(m.ID)+".example", m.ID, sector.MemberStaff)
	}
	w.person(t, "admin@centre.example", "", sector.Administrator)
	w.person(t, "duty@centre.example", "", sector.DutyManager)
	return w
}

func (w *world) person(t *testing.T, email string, m sector.MemberID, roles ...sector.Role) {
	t.Helper()
	u, err := w.directory.CreateUser(t.Context(), sector.System(), sector.User{Email: email, Roles: roles, Member: m}, "")
	must(t, err)
	w.people[email] = u
}

// as is the viewer of somebody's session.
func (w *world) as(t *testing.T, email string) sector.Viewer {
	t.Helper()
	v, err := w.directory.Refresh(t.Context(), w.people[email].ID)
	must(t, err)
	return v
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// want fails the test unless err is of the kind with the key.
func want(t *testing.T, what string, err error, kind errs.Kind, key string) {
	t.Helper()
	if got := keyOf(err); !errs.Is(err, kind) || got != key {
		t.Errorf("%s: %v; want kind %d, %s", what, err, kind, key)
	}
}
