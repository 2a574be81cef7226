package sqldb

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aspis-platform/aspis/internal/intel"
	"github.com/aspis-platform/aspis/internal/intel/inteltest"
	"github.com/aspis-platform/aspis/internal/search"
	"github.com/aspis-platform/aspis/internal/sector"
	"github.com/aspis-platform/aspis/stix"
)

// BenchmarkSearch measures searches among 1,000 members, 100,000 advisories of
// ten indicators, and 100,000 alerts; ASPIS_SEARCH_SHARE=10 makes a tenth of
// that. With ASPIS_TEST_POSTGRES set it measures PostgreSQL, else SQLite;
// ASPIS_SEARCH_KEEP names a file in which SQLite's is kept and found again.
func BenchmarkSearch(b *testing.B) {
	share := 1
	if n, err := strconv.Atoi(os.Getenv("ASPIS_SEARCH_SHARE")); err == nil && n > 0 {
		share = n
	}
	dsn := filepath.Join(b.TempDir(), "a.db")
	if server := os.Getenv("ASPIS_TEST_POSTGRES"); server != "" {
		dsn = freshDatabase(b, server)
	}
	if keep := os.Getenv("ASPIS_SEARCH_KEEP"); keep != "" {
		dsn = keep
	}
	db, err := Open(context.Background(), dsn, slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	f := &filler{db: db, rnd: rand.New(rand.NewPCG(1, 2)), members: 1000, last: map[string]string{}}
	if began := time.Now(); !f.filled(b) {
		f.fill(b, 100_000/share, 100_000/share)
		b.Logf("filled in %s", time.Since(began).Round(time.Second))
	}
	f.filled(b)
	f.sizes(b)
	f.writes(b)
	viewers := map[string]sector.Viewer{
		"centre": inteltest.Analyst(),
		"member": {Org: sector.MemberOrg, Member: "m7", Sector: sector.SubSectors()[7%4], User: "u"},
	}
	for _, q := range []struct{ name, text string }{
		{"address prefix", "203.0."}, {"address", f.last["ipv4"]}, {"full hash", f.last["sha256"]}, {"hash prefix", f.last["sha256"][:10]},
		{"CVE", "CVE-2026-1234"}, {"common bigram", "攻擊"}, {"Chinese phrase", "惡意程式"}, {"rare phrase", "量子金鑰交換"}, {"one character", "攻"},
		{"common word", "attack"}, {"beginning of a word", "att"}, {"two common words", "attack server"}, {"nothing", "zyxwv"}, {"domain", "evil7.example"},
	} {
		for _, who := range []string{"centre", "member"} {
			b.Run(q.name+" as "+who, func(b *testing.B) {
				var times []time.Duration
				hits, used := 0, processorTime(b)
				for b.Loop() {
					start := time.Now()
					hits = 0
					for _, k := range []search.Kind{search.Advisory, search.Indicator, search.Alert, search.Member} {
						found, err := db.Search().Search(context.Background(), sector.Gate{}.For(viewers[who]), search.Lookup{Kind: k, Query: search.Ask(q.text), Limit: 6, Count: 101})
						if err != nil {
							b.Fatal(err)
						}
						hits += found.Count
					}
					times = append(times, time.Since(start))
				}
				used = processorTime(b) - used
				slices.Sort(times)
				b.ReportMetric(float64(used.Microseconds())/1000/float64(len(times)), "cpu-ms")
				b.ReportMetric(float64(times[len(times)/2].Microseconds())/1000, "p50-ms")
				b.ReportMetric(float64(times[len(times)*95/100].Microseconds())/1000, "p95-ms")
				b.ReportMetric(float64(hits), "hits")
			})
		}
	}
}

// processorTime is what the process has used: on a busy machine it says more
// than the clock.
func processorTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// filler writes rows as the stores do, many to a transaction.
type filler struct {
	db      *DB
	rnd     *rand.Rand
	members int
	last    map[string]string
}

// filled reads an address and a hash that are there, and reports whether any
// are.
func (f *filler) filled(b *testing.B) bool {
	for _, class := range []string{"ipv4", "sha256"} {
		var value string
		err := f.db.read.QueryRow(`SELECT value FROM search_doc WHERE class = $1 LIMIT 1`, class).Scan(&value)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			b.Fatal(err)
		}
		f.last[class] = value
	}
	return f.last["ipv4"] != ""
}

const benchStart = 1_700_000_000_000_000

func (f *filler) write(b *testing.B, fn func(tx *sql.Tx) error) {
	if err := f.db.Write(context.Background(), fn); err != nil {
		b.Fatal(err)
	}
}

func (f *filler) fill(b *testing.B, advisories, alerts int) {
	ctx := context.Background()
	f.write(b, func(tx *sql.Tx) error {
		for i := range f.members {
			m := sector.Member{ID: sector.MemberID(fmt.Sprint("m", i)), Name: fmt.Sprintf("Bank of %s %d", f.word(), i), NameZh: "測試" + f.han(3) + "銀行", Sector: sector.SubSectors()[i%4]}
			if err := f.db.shelveMember(ctx, tx, m); err != nil {
				return err
			}
		}
		return nil
	})
	for from := 0; from < advisories; from += 2000 {
		f.write(b, func(tx *sql.Tx) error { return f.advisories(ctx, tx, from, min(from+2000, advisories)) })
	}
	for from := 0; from < alerts; from += 1000 {
		f.write(b, func(tx *sql.Tx) error { return f.alerts(ctx, tx, from, min(from+1000, alerts)) })
	}
	if f.db.dialect == Postgres { // by itself it would do so a little later
		if _, err := f.db.write.Exec("ANALYZE"); err != nil {
			b.Fatal(err)
		}
	}
}

func (f *filler) word() string {
	common := strings.Fields("attack server malware phishing account update credential exploit domain bank")
	if f.rnd.IntN(4) == 0 {
		return common[f.rnd.IntN(len(common))]
	}
	n := int(f.rnd.ExpFloat64() * 1500)
	return fmt.Sprintf("%c%c%s", 'a'+n%26, 'a'+n/26%26, []string{"tion", "ment", "ing", "er", "ware", "lock"}[n%6]) + strconv.Itoa(n/676)
}

func (f *filler) words(n int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = f.word()
	}
	return strings.Join(list, " ")
}

func (f *filler) han(n int) string {
	runes := make([]rune, n)
	for i := range runes {
		runes[i] = rune(0x4e00 + int(f.rnd.ExpFloat64()*700))
	}
	return string(runes)
}

func (f *filler) hanText(n int) string {
	text := f.han(n/2) + "攻擊者利用惡意程式" + f.han(n/2)
	return text + "，請檢查設定。"
}

func (f *filler) message(i int) intel.Message {
	m := intel.Message{
		Title:   intel.Text{Zh: "警訊" + f.han(8), En: "Warning on " + f.words(5)},
		Body:    intel.Text{Zh: f.hanText(120), En: f.words(70) + fmt.Sprintf(" CVE-2026-%d T%d.001", 1000+i%5000, 1000+i%600)},
		Marking: sector.Marking{TLP: sector.TLPAmber, PAP: sector.PAPGreen}, Category: intel.INT,
	}
	if i%7 == 0 {
		m.Title.Zh += "攻擊"
	}
	if i%9973 == 5 {
		m.Body.Zh += "量子金鑰交換"
	}
	for n := range 10 {
		value := fmt.Sprintf("%d.%d.%d.%d", 100+f.rnd.IntN(110), f.rnd.IntN(40), f.rnd.IntN(256), f.rnd.IntN(256))
		switch n % 5 {
		case 1:
			value = fmt.Sprintf("%s.evil%d.example", f.word(), f.rnd.IntN(30000))
		case 2:
			value = fmt.Sprintf("%016x%016x%016x%016x", f.rnd.Uint64(), f.rnd.Uint64(), f.rnd.Uint64(), f.rnd.Uint64())
		case 3:
			value = fmt.Sprintf("https://%s%d.example/%s/%s", f.word(), f.rnd.IntN(50000), f.word(), f.word())
		}
		ind, err := intel.ParseIndicator(value)
		if err != nil {
			continue
		}
		ind.ID = "indicator--" + stix.RandomUUID().String()
		m.Indicators = append(m.Indicators, ind)
	}
	return m
}

func (f *filler) audience() sector.Audience {
	switch n := f.rnd.IntN(20); {
	case n < 12:
		return sector.Audience{All: true}
	case n < 16:
		return sector.Audience{Sectors: []sector.SubSector{sector.SubSectors()[f.rnd.IntN(4)]}, Authority: true}
	case n < 17:
		return sector.Audience{Public: true}
	}
	var a sector.Audience
	for range 1 + f.rnd.IntN(5) {
		a.Members = append(a.Members, sector.MemberID(fmt.Sprint("m", f.rnd.IntN(f.members))))
	}
	return a
}

func (f *filler) advisories(ctx context.Context, tx *sql.Tx, from, to int) error {
	s := f.db.Advisories()
	var rows, releases, scopes [][]any
	var sources []shelfSource
	for i := from; i < to; i++ {
		a := intel.Advisory{ID: intel.AdvisoryID(stix.RandomUUID().String()), Version: 1, State: intel.Released, Message: f.message(i),
			ChangedAt: fromMicros(benchStart + int64(i)*1_000_000)}
		a.Lineage, a.Audience = string(a.ID), f.audience()
		row, err := newAdvisoryRow(a)
		if err != nil {
			return err
		}
		rows = append(rows, row)
		release, at := stix.RandomUUID().String(), micros(a.ChangedAt)
		audience, _ := json.Marshal(a.Audience)
		releases = append(releases, []any{release, a.ID, 1, a.Lineage, i + 1, at, 0, at, a.Category, 0, "", "", searchText(a.Title), "[]", string(audience), row[16]})
		for _, key := range a.Audience.ScopeKeys() {
			scopes = append(scopes, []any{release, key, a.ID, a.Lineage, at, 0, at})
		}
		draft := draftSource(a)
		released := draft // has the same documents; terms are made once
		released.edition, released.shelves = release, nil
		for _, key := range a.Audience.ScopeKeys() {
			released.shelves = append(released.shelves, shelfRelease(key))
		}
		sources = append(sources, draft, released)
	}
	err := insertRows(ctx, tx, `advisory (version, state, category, changed_at, created_at, released_at,
		withdrawn_at, standing, lineage, author, submitted_by, title_zh, title_en, search, audience, alerts, message, id)`, "", rows)
	if err == nil {
		err = insertRows(ctx, tx, `release (id, advisory, version, lineage, seq, at, ended_at, changed_at, category,
			answer_due, decided_by, approved_by, search, redacted, audience, message)`, "", releases)
	}
	if err == nil {
		err = insertRows(ctx, tx, "release_scope (release, scope, advisory, lineage, at, ended_at, changed_at)", "", scopes)
	}
	if err == nil {
		err = s.db.shelve(ctx, tx, newest(), sources)
	}
	return err
}

func (f *filler) alerts(ctx context.Context, tx *sql.Tx, from, to int) error {
	var rows, parts [][]any
	var numbers []any
	for i := from; i < to; i++ {
		title, zh := "Suspicious "+f.words(3), "可疑的"+f.han(6)
		n := 1 + f.rnd.IntN(2)
		at := int64(benchStart) + int64(i)*1_000_000
		about := fmt.Sprintf(`[{"name":"host","value":"ws-%d.corp.example"},{"name":"address","value":"203.0.%d.%d"}]`, i, i%256, i/256%256)
		id := fmt.Sprintf("%032x", i)
		rows = append(rows, []any{i + 1, id, id, "rule", "rule-" + strconv.Itoa(i%95), "1", title, zh, i % 5, about, "", "", "", "", 0, at, at, 1, n, 0, at, "new", 1, "", "", 1})
		numbers = append(numbers, int64(i+1))
		for k := range n {
			parts = append(parts, []any{i + 1, fmt.Sprint("m", (i*7+k)%f.members), 1, at, at, at})
		}
	}
	into := `alert (number, id, key, cause, rule_id, rule_version, title, title_zh, severity, about, words, about_words, why, why_member,
		restricted, first_at, last_at, count, members, kept, raised, state, active, assignee, advisory, version)`
	if f.db.dialect == Postgres {
		into += " OVERRIDING SYSTEM VALUE"
	}
	if err := insertRows(ctx, tx, into, "", rows); err != nil {
		return err
	}
	if err := insertRows(ctx, tx, "alert_member (alert, member, count, first_at, last_at, raised)", "", parts); err != nil {
		return err
	}
	return f.db.shelveAlerts(ctx, tx, newest(), numbers)
}

// sizes logs what the index takes on disk.
func (f *filler) sizes(b *testing.B) {
	query := `SELECT name, sum(pgsize) / 1048576 FROM dbstat WHERE name LIKE 'search%' OR name LIKE 'sqlite_autoindex_search%' GROUP BY name`
	if f.db.dialect == Postgres {
		query = `SELECT relname, pg_total_relation_size(oid) / 1048576 FROM pg_class WHERE relname LIKE 'search%' AND relkind = 'r'`
	}
	rows, err := f.db.read.Query(query)
	if err != nil {
		b.Log(err)
		return
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		var mb int64
		if err := rows.Scan(&name, &mb); err != nil {
			b.Fatal(err)
		}
		b.Logf("%s: %d MB", name, mb)
	}
	if err := rows.Err(); err != nil {
		b.Fatal(err)
	}
}

// writes logs what the index adds to a write, rolled back each time.
func (f *filler) writes(b *testing.B) {
	ctx := context.Background()
	const n = 50
	var took time.Duration
	for range n {
		m := f.message(1)
		start := time.Now()
		f.write(b, func(tx *sql.Tx) error {
			id := intel.AdvisoryID(stix.RandomUUID().String())
			return f.db.shelve(ctx, tx, newest(), []shelfSource{
				messageSource(id, "", benchStart, m, []string{shelfCentre}), releaseSource(id, "r", benchStart, m, []string{"members"}),
			})
		})
		took += time.Since(start)
	}
	b.Logf("draft and release of an advisory with ten indicators: %s with its commit", (took / n).Round(10*time.Microsecond))
	numbers := make([]any, 100)
	for i := range numbers {
		numbers[i] = int64(i + 1)
	}
	start := time.Now()
	f.write(b, func(tx *sql.Tx) error {
		if _, err := tx.Exec("DELETE FROM search_source WHERE kind = 'alert' AND object < '00000000000000000000000000000064'"); err != nil {
			return err
		}
		return f.db.shelveAlerts(ctx, tx, newest(), numbers)
	})
	b.Logf("a hundred alerts: %s", time.Since(start).Round(10*time.Microsecond))
}
