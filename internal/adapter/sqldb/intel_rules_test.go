package sqldb

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/aspis-platform/aspis/event"
	"github.com/aspis-platform/aspis/internal/intel"
	"github.com/aspis-platform/aspis/internal/intel/inteltest"
	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/platform/jobs"
	"github.com/aspis-platform/aspis/internal/sector"
)

// problemKeys are the catalogue keys of what stands in the way.
func problemKeys(err error) []string {
	var all []string
	for _, p := range intel.ProblemsOf(err) {
		all = append(all, p.Field+" "+p.Err.Key)
	}
	if e, ok := errors.AsType[*errs.Error](err); ok && all == nil {
		all = append(all, e.Key)
	}
	return all
}

func TestWhoMayDoWhat(t *testing.T) {
	forEachEngine(t, func(t *testing.T, db *DB) {
		w := inteltest.New(t, db.Advisories())
		ctx := context.Background()
		a := w.Draft(t, inteltest.Content(1, sector.Audience{All: true}))
		for name, v := range map[string]sector.Viewer{
			"administrator": {Org: sector.Centre, User: "root", Roles: []sector.Role{sector.Administrator}}, "member": w.Viewer(0), "authority": inteltest.Supervisor(), "nobody": {}, "system": sector.System(),
			"a key": {Org: sector.MemberOrg, Member: "m1", Key: "k"},
		} {
			_, err1 := w.Service.Draft(ctx, v, nil)
			_, err2 := w.Service.Edit(ctx, v, a.ID, a.Version, inteltest.Content(2, sector.Audience{All: true}))
			_, err3 := w.Service.Submit(ctx, v, a.ID, a.Version)
			_, err4 := w.Service.Release(ctx, v, a.ID, a.Version)
			err5 := w.Service.Withdraw(ctx, v, a.ID, a.Version, "x")
			_, _, err6 := w.Service.Check(ctx, v, a.ID, intel.Content{})
			for i, err := range []error{err1, err2, err3, err4, err5, err6} {
				if !errs.Is(err, errs.Forbidden) {
					t.Errorf("%s: step %d: %v", name, i+1, err)
				}
			}
		}
		for name, v := range map[string]sector.Viewer{"member": w.Viewer(0), "authority": inteltest.Supervisor(), "nobody": {}, "system": sector.System()} {
			_, err1 := w.Service.Advisory(ctx, v, a.ID)
			_, err2 := w.Service.Advisories(ctx, v, intel.AdvisoryQuery{})
			_, err3 := w.Service.Deliveries(ctx, v, a.ID)
			_, _, err4 := w.Service.Preview(ctx, v, a.ID)
			_, err5 := w.Service.EvidenceFor(ctx, v, a)
			for i, err := range []error{err1, err2, err3, err4, err5} {
				if !errs.Is(err, errs.Forbidden) {
					t.Errorf("%s: read %d: %v", name, i+1, err)
				}
			}
		}
		if got := w.Get(t, a.ID); got.Version != a.Version || got.State != intel.Draft {
			t.Errorf("something got through: %+v", got)
		}
	})
}

func TestSecondPerson(t *testing.T) {
	tests := []struct {
		name   string
		change func(*intel.Content)
		needed bool
	}{
		{"everyday", func(*intel.Content) {}, false},
		{"EWA", func(c *intel.Content) {
			c.Category, c.AnswerDue = intel.EWA, time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
		}, true},
		{"AMBER+STRICT", func(c *intel.Content) { c.Marking.TLP = sector.TLPAmberStrict }, true},
		{"RED", func(c *intel.Content) {
			c.Marking.TLP, c.Audience = sector.TLPRed, sector.Audience{Members: []sector.MemberID{"m1"}}
		}, true},
	}
	forEachEngine(t, func(t *testing.T, db *DB) {
		w := inteltest.New(t, db.Advisories())
		ctx := context.Background()
		for _, test := range tests {
			t.Run(test.name, func(t *testing.T) {
				c := inteltest.Content(1, sector.Audience{All: true})
				test.change(&c)
				a := w.Draft(t, c)
				_, err := w.Service.Release(ctx, inteltest.Analyst(), a.ID, a.Version)
				if !test.needed {
					if err != nil {
						t.Fatal(err)
					}
					return
				}
				if !slices.Equal(problemKeys(err), []string{"advisory.submit_first"}) {
					t.Errorf("release of a draft: %v", err)
				}
				secondPerson(t, w, a, c)
			})
		}
	})
}

// secondPerson walks a draft of inteltest.Analyst()'s through review.
func secondPerson(t *testing.T, w *inteltest.World, a intel.Advisory, c intel.Content) {
	t.Helper()
	ctx := context.Background()
	a, err := w.Service.Submit(ctx, inteltest.Manager(), a.ID, a.Version)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Service.Release(ctx, inteltest.Analyst(), a.ID, a.Version); !slices.Equal(problemKeys(err), []string{"advisory.own_work"}) {
		t.Errorf("release of one's own work: %v", err)
	}
	// An edit takes it back to draft, and its author may not release it.
	if a, err = w.Service.Edit(ctx, inteltest.Manager(), a.ID, a.Version, c); err != nil || a.State != intel.Draft {
		t.Fatalf("edit in review: %v, state %s", err, a.State)
	}
	if a, err = w.Service.Submit(ctx, inteltest.Manager(), a.ID, a.Version); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Service.Release(ctx, inteltest.Manager(), a.ID, a.Version); !slices.Equal(problemKeys(err), []string{"advisory.own_work"}) {
		t.Errorf("release after one's own edit: %v", err)
	}
	r, err := w.Service.Release(ctx, inteltest.Analyst(), a.ID, a.Version)
	if err != nil {
		t.Fatal(err)
	}
	past, err := w.Store.Releases(ctx, a.ID)
	if err != nil || len(past) != 1 || past[0].DecidedBy != inteltest.Manager().User || past[0].ApprovedBy != inteltest.Analyst().User || past[0].ID != r.ID {
		t.Errorf("release is recorded as %+v, %v", past, err)
	}
}

func TestWhatStandsInTheWay(t *testing.T) {
	past := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
	tests := []struct {
		name   string
		change func(*intel.Content)
		want   []string
	}{
		{"empty", func(c *intel.Content) { c.Title, c.Body.En = intel.Text{Zh: " "}, "" },
			[]string{"title.zh advisory.text_missing", "title.en advisory.text_missing", "body.en advisory.text_missing"}},
		{"nobody", func(c *intel.Content) { c.Audience = sector.Audience{} }, []string{"audience gate.audience_empty"}},
		{"public AMBER", func(c *intel.Content) { c.Audience.Public = true }, []string{"audience gate.public_needs_clear"}},
		{"RED for all", func(c *intel.Content) { c.Marking.TLP = sector.TLPRed }, []string{"audience gate.red_needs_names"}},
		{"unknown member", func(c *intel.Content) { c.Audience.Members = []sector.MemberID{"ghost"} }, []string{"audience advisory.member_unknown"}},
		{"EWA without due", func(c *intel.Content) { c.Category = intel.EWA }, []string{"answer_due advisory.due_missing"}},
		{"due is over", func(c *intel.Content) { c.AnswerDue = past }, []string{"answer_due advisory.due_past"}},
		{"internal indicator", func(c *intel.Content) {
			c.Indicators = []intel.Indicator{{Kind: event.ObservableIPv4, Value: "10.0.0.1"}}
		}, []string{"indicators indicator.internal", "indicators leak.private_address"}},
		{"a member's name", func(c *intel.Content) { c.Body.En = "Institution Number A" }, []string{"body.en leak.member_name"}},
		{"another member's name", func(c *intel.Content) { c.Body.En = "Institution Number D" }, nil},
		{"a host", func(c *intel.Content) { c.Body.Zh = "主機ws-9" }, []string{"body.zh leak.host"}},
	}
	forEachEngine(t, func(t *testing.T, db *DB) {
		w := inteltest.New(t, db.Advisories())
		w.Alerts["al"] = intel.Evidence{Members: []sector.MemberID{"m1"}, Internal: []event.Observable{{Kind: event.ObservableHost, Value: "ws-9"}}}
		ctx := context.Background()
		for _, test := range tests {
			t.Run(test.name, func(t *testing.T) {
				a, err := w.Service.Draft(ctx, inteltest.Analyst(), []string{"al"})
				if err != nil {
					t.Fatal(err)
				}
				c := inteltest.Content(1, sector.Audience{All: true})
				test.change(&c)
				if a, err = w.Service.Edit(ctx, inteltest.Analyst(), a.ID, a.Version, c); err != nil {
					t.Fatal(err)
				}
				_, pre, err := w.Service.Preview(ctx, inteltest.Manager(), a.ID)
				if err != nil || len(pre.Problems) != len(test.want) {
					t.Errorf("preview: %+v, %v", pre.Problems, err)
				}
				if a.Marking.TLP == sector.TLPRed || a.Category == intel.EWA {
					_, err = w.Service.Submit(ctx, inteltest.Analyst(), a.ID, a.Version)
				} else {
					_, err = w.Service.Release(ctx, inteltest.Manager(), a.ID, a.Version)
				}
				if d := cmp.Diff(test.want, problemKeys(err)); d != "" {
					t.Errorf("(-want +got):\n%s", d)
				}
			})
		}
	})
}

func TestDraftsRefuseNonsense(t *testing.T) {
	w := inteltest.New(t, openForTest(t, t.TempDir()+"/a.db").Advisories())
	a := w.Draft(t, inteltest.Content(1, sector.Audience{All: true}))
	c := inteltest.Content(1, sector.Audience{Sectors: []sector.SubSector{"casinos"}})
	c.Title.Zh, c.Body.En, c.Category, c.RSIT, c.Marking.TLP = strings.Repeat("長", 201), "a\x00b", "XXX", "no:such", "PINK"
	_, err := w.Service.Edit(context.Background(), inteltest.Analyst(), a.ID, a.Version, c)
	want := []string{
		"title.zh advisory.text_too_long", "body.en advisory.text_control", "category advisory.category_unknown",
		"marking advisory.marking_unknown", "rsit advisory.rsit_unknown", "audience advisory.sector_unknown",
	}
	if d := cmp.Diff(want, problemKeys(err)); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// TestTextsAreWhatTheyLookLike: nothing unseen stands in what members are given,
// such as a mark that turns "exe.cod" round.
func TestTextsAreWhatTheyLookLike(t *testing.T) {
	w := inteltest.New(t, openForTest(t, t.TempDir()+"/a.db").Advisories())
	a := w.Draft(t, inteltest.Content(1, sector.Audience{All: true}))
	for text, want := range map[string][]string{
		"open doc.\u202ecod.exe": {"title.en advisory.text_control"}, "a\u200bb": {"title.en advisory.text_control"},
		"a\u2066b": {"title.en advisory.text_control"}, "\ufeffa": {"title.en advisory.text_control"}, "a\u009bb": {"title.en advisory.text_control"},
	} {
		c := inteltest.Content(1, sector.Audience{All: true})
		c.Title.En = text
		_, err := w.Service.Edit(context.Background(), inteltest.Analyst(), a.ID, a.Version, c)
		if d := cmp.Diff(want, problemKeys(err)); d != "" {
			t.Errorf("%+q (-want +got):\n%s", text, d)
		}
	}
	c := inteltest.Content(1, sector.Audience{All: true})
	c.Title.En, c.Body.Zh = "\U0001f468\u200d\U0001f4bb at work", "第一行\n第二行\t（全形）"
	if _, err := w.Service.Edit(context.Background(), inteltest.Analyst(), a.ID, a.Version, c); err != nil {
		t.Errorf("ordinary texts: %v", err)
	}
}

func TestCorrectionStandsBesideTheRelease(t *testing.T) {
	forEachEngine(t, func(t *testing.T, db *DB) {
		w := inteltest.New(t, db.Advisories())
		ctx := context.Background()
		a := w.Release(t, w.Draft(t, inteltest.Content(1, sector.Audience{All: true}, "198.51.100.1")), nil)
		a, err := w.Service.Edit(ctx, inteltest.Analyst(), a.ID, a.Version, inteltest.Content(2, sector.Audience{All: true}, "198.51.100.2"))
		if err != nil || a.State != intel.Draft || a.Standing == 0 {
			t.Fatalf("correction: %+v, %v", a, err)
		}
		if got := w.Inbox(t, w.Viewer(0)); !slices.Equal(got, []string{"Warning number 1"}) {
			t.Errorf("members see %v while it is corrected", got)
		}
		a = w.Release(t, a, nil)
		item, err := w.Service.ReleasedItem(ctx, w.Viewer(0), a.ID)
		if err != nil || item.Title.En != "Warning number 2" || item.Revision != 2 || !item.CreatedAt.Before(item.ReleasedAt) {
			t.Errorf("corrected: %+v, %v", item, err)
		}
		// A draft that was never released can be given up; nobody sees it.
		d := w.Withdraw(t, w.Draft(t, inteltest.Content(3, sector.Audience{All: true}, "198.51.100.3")))
		if d.State != intel.Withdrawn {
			t.Errorf("given up: %+v", d)
		}
		if err := w.Service.Withdraw(ctx, inteltest.Manager(), d.ID, d.Version, "again"); !errs.Is(err, errs.Conflict) {
			t.Errorf("withdrawn twice: %v", err)
		}
		if err := w.Service.Withdraw(ctx, inteltest.Manager(), a.ID, a.Version, " "); !slices.Equal(problemKeys(err), []string{"reason advisory.reason"}) {
			t.Errorf("withdrawn without a reason: %v", err)
		}
		if n, err := db.VerifyLedger(ctx); err != nil || n < 8 {
			t.Errorf("ledger of %d entries: %v", n, err)
		}
	})
}

func TestWatchedFollowsDraftsAndReleases(t *testing.T) {
	forEachEngine(t, func(t *testing.T, db *DB) {
		w := inteltest.New(t, db.Advisories())
		var version int64
		next := func(want ...string) {
			t.Helper()
			found, v, err := db.Advisories().Watched(context.Background(), version)
			if err != nil || v < version {
				t.Fatalf("version %d after %d, %v", v, version, err)
			}
			version = v
			var got []string
			for _, f := range found {
				state := map[bool]string{true: "released ", false: "draft "}[f.Released]
				if f.Removed {
					state = "removed "
				}
				got = append(got, strings.TrimSpace(state+f.Line()+" "+f.Title.En+" "+strings.Join(f.Scopes, ",")))
			}
			slices.Sort(got)
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		}
		a := w.Draft(t, inteltest.Content(1, sector.Audience{All: true}, "198.51.100.1", "*.evil.example"))
		next("draft *.evil.example Warning number 1", "draft 198.51.100.1 Warning number 1")
		a = w.Release(t, a, nil)
		next("released *.evil.example Warning number 1 members", "released 198.51.100.1 Warning number 1 members")
		next()
		a, err := w.Service.Edit(context.Background(), inteltest.Analyst(), a.ID, a.Version, inteltest.Content(2, sector.Audience{All: true}, "198.51.100.1", "198.51.100.2"))
		if err != nil {
			t.Fatal(err)
		}
		next("draft 198.51.100.2 Warning number 2")
		a = w.Release(t, a, nil)
		next("released 198.51.100.2 Warning number 2 members", "removed *.evil.example Warning number 2")
		w.Withdraw(t, a)
		next("removed 198.51.100.1 Warning number 2", "removed 198.51.100.2 Warning number 2")
		version = 0
		next()
		if w.Woken != 5 {
			t.Errorf("the matcher was woken %d times, want 5", w.Woken)
		}
	})
}

// TestWatchedOfOneAdvisory: what an advisory has to be matched now is what the
// matcher has of it, and nothing of the others.
func TestWatchedOfOneAdvisory(t *testing.T) {
	forEachEngine(t, func(t *testing.T, db *DB) {
		ctx, w := context.Background(), inteltest.New(t, db.Advisories())
		a := w.Draft(t, inteltest.Content(1, sector.Audience{All: true}, "198.51.100.1", "*.evil.example"))
		b := w.Draft(t, inteltest.Content(2, sector.Audience{Sectors: []sector.SubSector{sector.Banking}}, "198.51.100.2"))
		check := func(want ...int) {
			t.Helper()
			all, version, err := db.Advisories().Watched(ctx, 0)
			if err != nil {
				t.Fatal(err)
			}
			for i, id := range []intel.AdvisoryID{a.ID, b.ID, "no such advisory"} {
				got, v, err := db.Advisories().WatchedOf(ctx, id)
				if err != nil || v != version || len(got) != want[i] {
					t.Errorf("%s: %d indicators at version %d, %v; want %d at %d", id, len(got), v, err, want[i], version)
				}
				mine := slices.DeleteFunc(slices.Clone(all), func(o intel.Watched) bool { return o.Advisory != id })
				byID := func(x, y intel.Watched) int { return strings.Compare(x.ID, y.ID) }
				slices.SortFunc(mine, byID)
				slices.SortFunc(got, byID)
				if d := cmp.Diff(mine, got, cmpopts.EquateEmpty()); d != "" {
					t.Errorf("%s differs from what the matcher is given (-matcher +got):\n%s", id, d)
				}
			}
		}
		check(2, 1, 0)
		a = w.Release(t, a, nil)
		check(2, 1, 0)
		a, err := w.Service.Edit(ctx, inteltest.Analyst(), a.ID, a.Version, inteltest.Content(3, sector.Audience{All: true}, "198.51.100.1", "198.51.100.3"))
		if err != nil {
			t.Fatal(err)
		}
		check(3, 1, 0) // what stands and what is new
		a = w.Release(t, a, nil)
		check(2, 1, 0)
		w.Withdraw(t, a)
		check(0, 1, 0)
	})
}

func TestDeliveredOpenedAnswered(t *testing.T) {
	forEachEngine(t, func(t *testing.T, db *DB) {
		w := inteltest.New(t, db.Advisories())
		ctx := context.Background()
		a := w.Release(t, w.Draft(t, inteltest.Content(1, sector.Audience{All: true, Authority: true})), nil)
		first, err := w.Service.Open(ctx, w.Viewer(0), a.ID)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := w.Service.Open(ctx, w.Viewer(0), a.ID); err != nil || !again.OpenedAt.Equal(first.OpenedAt) {
			t.Errorf("opened again at %v, first %v, %v", again.OpenedAt, first.OpenedAt, err)
		}
		for _, kind := range []intel.AnswerKind{intel.Affected, intel.Blocked} { // the last one counts
			if _, err := w.Service.Answer(ctx, w.Viewer(1), a.ID, kind, " because "); err != nil {
				t.Fatal(err)
			}
		}
		deliveries, err := w.Service.Deliveries(ctx, inteltest.Manager(), a.ID)
		if err != nil || len(deliveries) != 4 {
			t.Fatalf("deliveries %+v, %v", deliveries, err)
		}
		for i, d := range deliveries {
			opened, answered := i < 2, i == 1
			if !d.Delivered.Equal(a.ReleasedAt) || d.Opened.IsZero() == opened || (d.Answer != nil) != answered {
				t.Errorf("delivery %+v", d)
			}
			if answered && (d.Answer.Kind != intel.Blocked || d.Answer.Reason != "because" || d.Answer.By != "user:user-m2") {
				t.Errorf("answer %+v", d.Answer)
			}
		}
		f, err := w.Service.Figures(ctx, inteltest.Manager(), a.ID)
		got := []sector.Figure{f.Recipients, f.Opened, f.Answered, f.ByAnswer[intel.Blocked], f.ByAnswer[intel.Affected]}
		if err != nil || fmt.Sprint(got) != "[4 2 1 1 0]" {
			t.Errorf("figures %v, %v", got, err)
		}
		for name, refuse := range map[string]error{
			"unknown kind":  secondOf(w.Service.Answer(ctx, w.Viewer(0), a.ID, "maybe", "")),
			"EWA's answer":  secondOf(w.Service.Answer(ctx, w.Viewer(0), a.ID, intel.FalseAlarm, "x")),
			"the authority": secondOf(w.Service.Answer(ctx, inteltest.Supervisor(), a.ID, intel.Blocked, "")),
			"too long":      secondOf(w.Service.Answer(ctx, w.Viewer(0), a.ID, intel.Blocked, strings.Repeat("x", 2001))),
		} {
			if !errs.Is(refuse, errs.Invalid) && !errs.Is(refuse, errs.Forbidden) {
				t.Errorf("%s: %v", name, refuse)
			}
		}
		w.Withdraw(t, a)
		if _, err := w.Service.Answer(ctx, w.Viewer(0), a.ID, intel.Blocked, ""); !errs.Is(err, errs.Conflict) {
			t.Errorf("answer to what was withdrawn: %v", err)
		}
	})
}

func secondOf[T any](_ T, err error) error { return err }

func TestReleasesAreApart(t *testing.T) {
	forEachEngine(t, func(t *testing.T, db *DB) {
		w := inteltest.New(t, db.Advisories())
		w.Service.Now = func() time.Time { return w.Clock } // a clock that stands still
		var last time.Time
		for i := range 5 {
			a := w.Release(t, w.Draft(t, inteltest.Content(i, sector.Audience{All: true})), nil)
			if a.ReleasedAt.Sub(last) < intel.EventWindow {
				t.Errorf("released at %v, the one before at %v", a.ReleasedAt, last)
			}
			if last = a.ReleasedAt; i%2 == 0 {
				last = w.Withdraw(t, a).WithdrawnAt
			}
		}
	})
}

// huntLog notes what was huntLog.
type huntLog struct{ values []string }

func (h *huntLog) Hunt(_ context.Context, _ intel.AdvisoryID, _ intel.Text, indicators []intel.Indicator) error {
	for _, i := range indicators {
		h.values = append(h.values, i.Value)
	}
	return nil
}

// TestJobsOfARelease lets the real queue do what a release caused.
func TestJobsOfARelease(t *testing.T) {
	forEachEngine(t, func(t *testing.T, db *DB) {
		w := inteltest.New(t, db.Advisories())
		var told []intel.Notice
		w.Service.Tell = func(n intel.Notice) []jobs.Job {
			told = append(told, n)
			return []jobs.Job{jobs.New("tell", n)}
		}
		hunt := &huntLog{}
		a := w.Release(t, w.Draft(t, inteltest.Content(1, sector.Audience{All: true}, "198.51.100.1")), nil)
		done := make(chan struct{}, 16)
		handlers := map[string]jobs.Handler{"tell": func(context.Context, json.RawMessage) error {
			done <- struct{}{}
			return nil
		}}
		for kind, h := range intel.NewWorker(w.Service, hunt).Handlers() {
			handlers[kind] = func(ctx context.Context, raw json.RawMessage) error {
				defer func() { done <- struct{}{} }()
				return h(ctx, raw)
			}
		}
		ctx, cancel := context.WithCancel(context.Background())
		stopped := make(chan error, 1)
		go func() { stopped <- db.RunJobs(ctx, handlers) }()
		for range 2 { // a notice and a hunt
			select {
			case <-done:
			case <-time.After(20 * time.Second):
				t.Fatal("the jobs did not run")
			}
		}
		cancel()
		if err := <-stopped; err != nil {
			t.Fatal(err)
		}
		if len(told) != 1 || told[0].Kind != intel.NoticeReleased || len(told[0].Members) != 4 || !slices.Equal(hunt.values, []string{"198.51.100.1"}) {
			t.Errorf("told %+v, hunted %v", told, hunt.values)
		}
		letterStates(t, w, db.Advisories(), a, told[0])
	})
}

// letterStates checks that failures are noted, mails are noted once, and a
// recall goes to those who were told.
func letterStates(t *testing.T, w *inteltest.World, store *Advisories, a intel.Advisory, n intel.Notice) {
	t.Helper()
	ctx := context.Background()
	letters, err := intel.NewLetters(w.Service, store, "https://centre.example")
	if err != nil {
		t.Fatal(err)
	}
	if l, err := letters.Write(ctx, w.Viewer(0), n, false); err != nil || !strings.Contains(l.Subject, "Warning number 1") {
		t.Errorf("letter %+v, %v", l, err)
	}
	noted := func() intel.Delivery {
		deliveries, err := w.Service.Deliveries(ctx, inteltest.Manager(), a.ID)
		if err != nil {
			t.Fatal(err)
		}
		return deliveries[0]
	}
	if err := letters.Failed(ctx, "m1", n, "greylisted"); err != nil || noted().MailError != "greylisted" {
		t.Errorf("failure is noted as %+v, %v", noted(), err)
	}
	if err := letters.Told(ctx, "m1", n); err != nil || noted().MailError != "" || noted().Mailed.IsZero() {
		t.Errorf("mail is noted as %+v, %v", noted(), err)
	}
	first := noted()
	for _, note := range []func() error{
		func() error { return letters.Told(ctx, "m1", n) },
		func() error { return letters.Failed(ctx, "m1", n, "too late") },
	} {
		if err := note(); err != nil || noted() != first {
			t.Errorf("noted again as %+v, %v", noted(), err)
		}
	}
	if err := letters.Told(ctx, "ghost", n); !errs.Is(err, errs.NotFound) {
		t.Errorf("a member that was not released to: %v", err)
	}
	w.Withdraw(t, a)
	if _, err := letters.Write(ctx, w.Viewer(0), n, false); !errs.Is(err, errs.NotFound) {
		t.Errorf("a withdrawn advisory is written as valid: %v", err)
	}
	n.Kind = intel.NoticeWithdrawn
	if l, err := letters.Write(ctx, w.Viewer(0), n, false); err != nil || !strings.Contains(l.Subject, "withdrawn") {
		t.Errorf("recall is %+v, %v", l, err)
	}
	if _, err := letters.Write(ctx, w.Viewer(1), n, false); !errs.Is(err, errs.NotFound) {
		t.Errorf("m2 was not told, and is told of the withdrawal: %v", err)
	}
}
