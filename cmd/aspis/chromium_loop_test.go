package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/aspis-platform/aspis/internal/demo"
	"github.com/aspis-platform/aspis/internal/platform/i18n"
	"github.com/aspis-platform/aspis/internal/platform/totp"
	"github.com/aspis-platform/aspis/internal/sector"
)

// show is the demonstration as one test walks through it in a browser.
type show struct {
	*testing.T
	server  *process
	keys    map[sector.MemberID]string
	members []sector.Member
	people  map[string]*tab     // by [seats]
	codes   map[string][]string // recovery codes of those who have an app
}

// seats name the people whose links the demonstration prints, in its order.
func seats() []string {
	return []string{"analyst", "manager", "administrator", "staff", "other", "authority"}
}

// mails are their addresses.
func (s *show) mails() map[string]string {
	return map[string]string{
		"analyst": "analyst@centre.example", "manager": "duty@centre.example", "administrator": "admin@centre.example",
		"staff": "soc@" + string(s.members[0].ID) + ".example", "other": "soc@" + string(s.members[len(s.members)/2].ID) + ".example",
		"authority": "supervisor@authority.example",
	}
}

// TestBrowser signs in as each role in headless Chromium and walks the loop
// through the pages, in Chinese and in English. Every page on the way is
// looked at: see [tab.look].
func TestBrowser(t *testing.T) {
	look := openEyes(t)
	s := demonstrate(t)
	links := s.links()
	for i, seat := range seats() {
		s.people[seat] = look.open(t, s.server.url, i18n.ZhHant)
		s.enter(s.people[seat], links[i])
	}
	for i, lang := range []i18n.Lang{i18n.ZhHant, i18n.En} {
		began := time.Now()
		if lang == i18n.En {
			s.inEnglish()
		}
		w := &walk{show: s, lang: lang, address: fmt.Sprintf("203.0.113.%d", 77+i), defanged: fmt.Sprintf("203[.]0[.]113[.]%d", 77+i)}
		w.plant()
		w.pulse()
		w.alerts()
		w.compose()
		w.preview()
		w.release()
		w.answer()
		w.totals()
		w.events()
		w.administer()
		w.picture()
		w.withdraw()
		t.Logf("the loop in %s took %v", lang, time.Since(began).Round(100*time.Millisecond))
	}
}

// demonstrate starts the demonstration as a newcomer does.
func demonstrate(t *testing.T) *show {
	t.Helper()
	data := filepath.Join(t.TempDir(), "demo")
	p := &process{t: t, data: data, out: &tail{}, done: make(chan struct{})}
	p.cmd = program(context.Background(), t, "demo", "--data", data, "--listen", "127.0.0.1:0", "--rate", "60")
	p.cmd.Stdout, p.cmd.Stderr = p.out, p.out
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.done)
		_ = p.cmd.Wait() // killed when the test ends
	}()
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			t.Logf("the demonstration said:\n%s", p.out)
		}
	})
	s := &show{T: t, server: p, members: demo.Members(24), people: map[string]*tab{}, codes: map[string][]string{}}
	eventually(t, startPatience, func() string {
		if len(s.links()) == len(seats()) && regexp.MustCompile(`(?m)^  http://\S+$`).MatchString(p.out.String()) {
			return ""
		}
		return "the demonstration printed no links: " + p.out.String()
	})
	p.url, _, _ = strings.Cut(s.links()[0], "/enrol")
	raw, err := os.ReadFile(filepath.Join(data, "demo-keys.json"))
	if err == nil {
		err = json.Unmarshal(raw, &s.keys)
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *show) links() []string {
	return regexp.MustCompile(`http://\S+/enrol#\w+`).FindAllString(s.server.out.String(), -1)
}

// enter uses a one-time link, which in the demonstration is enough.
func (s *show) enter(b *tab, link string) {
	b.Helper()
	b.visit(strings.TrimPrefix(link, b.base))
	b.says("signin.link.title")
	b.click(`form[action="/enrol"] button`)
	if at := b.place(); at != "/" {
		b.Fatalf("%s leads to %s", link, at)
	}
}

// setUp chooses a password and sets up an authenticator app, and returns the
// recovery codes.
func (b *tab) setUp() []string {
	b.Helper()
	b.visit("/account")
	b.says("account.nothing")
	b.click(`form[action="/account/change"] button`)
	b.says("account.setup.title")
	secret, err := totp.Parse(ask[string](b, `document.querySelector(".app-secret [data-copy]").dataset.copy`))
	if err != nil {
		b.Fatal(err)
	}
	b.do(chromedp.SendKeys(chromedp.CSS("#f-code"), secret.Code(totp.Step(time.Now()))), chromedp.SendKeys(chromedp.CSS("#f-password"), password))
	b.click(`form[action="/account/set-up/app"] button.primary`)
	b.says("account.codes.title")
	codes := ask[[]string](b, `[...document.querySelectorAll(".recovery-codes code")].map((c) => c.textContent)`)
	b.click(`.codes a.primary`)
	return codes
}

// code is a recovery code of the seat's that was not used.
func (s *show) code(seat string) string {
	s.Helper()
	codes := s.codes[seat]
	if len(codes) == 0 {
		s.Fatalf("%s has no recovery code left", seat)
	}
	s.codes[seat] = codes[1:]
	return codes[0]
}

// prove answers when the portal asks who is there: on a slow machine the last
// proof is more than five minutes old.
func (s *show) prove(seat string) {
	s.Helper()
	b := s.people[seat]
	if !ask[bool](b, `document.querySelector("#f-proof-code") !== null`) {
		return
	}
	b.do(chromedp.SendKeys(chromedp.CSS("#f-proof-password"), password), chromedp.SendKeys(chromedp.CSS("#f-proof-code"), s.code(seat)))
	b.click(`form:has(#f-proof-code) button.primary`)
}

// inEnglish lets everybody set up an app, sign out, and in again, in English;
// the analyst switches the language on a page instead, and stays there.
func (s *show) inEnglish() {
	s.Helper()
	for _, seat := range seats() {
		b := s.people[seat]
		if seat == "analyst" {
			b.visit(query("/alerts", "q", "203.0.113.77", "state", "all"))
			at := b.place()
			b.lang = i18n.En
			b.click(`form[aria-label] button[value="en"]`)
			if b.place() != at {
				b.Errorf("switching the language led from %s to %s", at, b.place())
			}
			continue
		}
		s.codes[seat] = b.setUp()
		b.click(`form[action="/sign-out"] button`)
		b.lang = i18n.En
		b.visit("/sign-in?lang=en")
		b.click(`button[value="en"]`)
		b.says("signin.title")
		b.do(chromedp.SendKeys(chromedp.CSS("#f-email"), s.mails()[seat]), chromedp.SendKeys(chromedp.CSS("#f-password"), password))
		b.click(`form[action="/sign-in"] button.wide`)
		b.says("signin.second.title")
		b.do(chromedp.SendKeys(chromedp.CSS("#f-code"), s.code(seat)))
		b.click(`form[action="/sign-in/second"] button.wide`)
		if at := b.place(); at != "/" {
			b.Fatalf("signing in as %s led to %s", seat, at)
		}
	}
}

// walk is one way through the loop.
type walk struct {
	*show
	lang     i18n.Lang
	address  string
	defanged string
	advisory string // its id
}

func (w *walk) zh() bool { return w.lang == i18n.ZhHant }

// attacked are the members whose records the rule across institutions sees:
// two of them are banks, as the receivers of the warning are.
func (w *walk) attacked() []sector.Member {
	return []sector.Member{w.members[1], w.members[2], w.members[len(w.members)-1]}
}

func (w *walk) plant() {
	w.Helper()
	for i, m := range w.attacked() {
		at := time.Now().Add(time.Duration(i-3) * time.Second)
		record := connection(fmt.Sprintf("ws-%d.%s.example", i, m.ID), w.address, at)
		got := machine(w, w.server.url, w.keys[m.ID]).do(http.MethodPost, "/api/v1/records", []byte(record))
		if got.status != http.StatusOK || !strings.Contains(got.body, `"accepted":1`) {
			w.Fatalf("planting a record at %s: %d %s", m.ID, got.status, got.body)
		}
	}
}

// pulse shows the loop, and its counts move without a reload.
func (w *walk) pulse() {
	w.Helper()
	for _, seat := range []string{"analyst", "staff", "authority"} {
		b := w.people[seat]
		b.visit("/pulse")
		b.says("pulse.title", "pulse.stage.door", "pulse.stage.alerts", "common.live")
	}
	b := w.people["analyst"]
	door := `document.querySelector(".loop-wide [data-stage=door] [data-part=total]").textContent.replaceAll(",", "")`
	before := ask[string](b, door)
	b.until(fmt.Sprintf("Number(%s) > %s", door, before))
	time.Sleep(2 * time.Second) // two more rounds of figures arrive
	if moved := ask[float64](b, "window.__shift"); moved > maxShift {
		b.Errorf("live counts move the page by %.3f", moved)
	}
}

// alerts leads from the list to the planted alert with the keyboard alone.
func (w *walk) alerts() {
	w.Helper()
	b := w.people["analyst"]
	b.visit("/alerts")
	eventually(b, tabPatience, func() string {
		b.do(chromedp.Navigate(b.base + query("/alerts", "q", w.address)))
		if n := ask[int](b, `document.querySelectorAll("tbody tr").length`); n != 1 {
			return fmt.Sprintf("%d alerts about %s", n, w.address)
		}
		return ""
	})
	b.visit("/alerts")
	b.says("monitor.alerts.title")
	b.do(press("?"))
	b.until(`document.querySelector("#keys").open`)
	b.says("common.keys.title")
	b.do(press("Escape"))
	b.until(`!document.querySelector("#keys").open`)
	b.do(press("f"))
	b.until(`document.activeElement.name === "q"`)
	b.turn(chromedp.KeyEvent(w.address), press("Enter"))
	b.shows(w.defanged)
	b.do(press("j"), press("k"))
	b.until(`document.querySelector("tbody tr[aria-selected=true] a") === document.activeElement`)
	b.turn(press("Enter"))
	b.says("monitor.alert.why", "monitor.alert.records", "monitor.alert.triage", "monitor.cause.correlation")
	for _, m := range w.attacked() {
		b.shows(w.name(m))
	}
	b.screenshot("alert")
}

func (w *walk) name(m sector.Member) string {
	if w.zh() {
		return m.NameZh
	}
	return m.Name
}

// compose writes the warning from the alert.
func (w *walk) compose() {
	w.Helper()
	b := w.people["analyst"]
	b.click(`form[action="/advisories"] button.primary`)
	parts := strings.Split(b.place(), "/")
	if len(parts) != 4 || parts[3] != "edit" {
		b.Fatalf("drafting leads to %s", b.place())
	}
	w.advisory = parts[2]
	b.says("advisory.compose", "check.title", "advisory.handling")
	b.fill("#f-title_zh", "多家機構連往同一可疑主機")
	b.fill("#f-title_en", "Several institutions call the same suspicious host")
	b.fill("#f-body_zh", "本中心發現惡意程式以 rundll32 連往下列位址。\n請於防火牆阻擋，並清查過去 30 天的連線紀錄；如有連線，請隔離主機並保全記憶體。")
	b.fill("#f-body_en", "Malware started with rundll32 calls the address below.\nBlock it at the firewall and look through the connections of the past 30 days; isolate hosts that called it and keep their memory.")
	b.fill("#f-category", "EWA")
	b.fill("#f-tlp", string(sector.TLPAmberStrict))
	b.fill("#f-answer_due", time.Now().UTC().Add(56*time.Hour).Format("2006-01-02T15:04")) // two days ahead in Taipei
	b.check(fmt.Sprintf(`input[name="propose"][value=%q]`, w.address))
	ask[bool](b, `(() => { for (const box of document.querySelectorAll("input[name=reach], input[name=members]")) if (box.checked) box.click(); return true })()`)
	b.check(`input[name="reach"][value="banking"]`)
	b.check(`input[name="reach"][value="authority"]`)
	b.fill("#f-body_zh", ask[string](b, `document.querySelector("#f-body_zh").value`)+"\n"+w.attacked()[0].NameZh)
	b.until(fmt.Sprintf(`document.querySelector("#check").innerText.includes(%q)`, b.word("leak.member_name")))
	b.fill("#f-body_zh", strings.TrimSuffix(ask[string](b, `document.querySelector("#f-body_zh").value`), "\n"+w.attacked()[0].NameZh))
	b.until(`!document.querySelector("#check .found-bad")`)
	b.do(chromedp.Evaluate[chromedp.Void]("window.scrollTo(0, 0)"))
	b.screenshot("compose")
	b.click(`button[name="then"][value="preview"]`)
}

// receivers are the members who will see the warning.
func (w *walk) receivers() []string {
	var list []string
	for _, m := range w.members {
		if m.Sector == sector.Banking {
			list = append(list, w.name(m))
		}
	}
	slices.Sort(list)
	return list
}

// preview names exactly those who will see it, and the author cannot release.
func (w *walk) preview() {
	w.Helper()
	b := w.people["analyst"]
	want := w.receivers()
	b.says("preview.who", "preview.channels", "preview.redacted")
	b.shows(b.word("preview.members", len(want)), w.defanged)
	if n := ask[int](b, `document.querySelectorAll('form[action$="/release"]').length`); n != 0 {
		b.Error("the author is offered to release alone")
	}
	got := ask[[]string](b, `[...document.querySelectorAll(".names")[0].children].map((e) => e.textContent.trim())`)
	if slices.Sort(got); !slices.Equal(got, want) {
		b.Errorf("the preview names %q, want %q", got, want)
	}
	b.click(`form[action$="/submit"] button`)
}

// release is the second person's, found through the list of what waits.
func (w *walk) release() {
	w.Helper()
	b := w.people["manager"]
	b.visit("/advisories")
	b.says("advisory.for_you")
	b.click(`a[href="/advisories/` + w.advisory + `"]`)
	b.click(`a[href$="/preview"]`)
	b.shows(b.word("advisory.release_to", len(w.receivers())))
	b.screenshot("preview")
	b.click(`form[action$="/release"] button`)
	w.prove("manager")
	b.says("advisory.state.released", "advisory.progress", "advisory.recipients")
}

// answer is a member's: it finds the warning in the inbox and says that the
// alarm was false.
func (w *walk) answer() {
	w.Helper()
	b := w.people["staff"]
	b.visit("/")
	b.says("home.owed.title", "home.owed.answer")
	b.screenshot("home-member")
	b.visit("/inbox")
	b.says("inbox.owed", "inbox.answer_owed")
	b.screenshot("inbox")
	b.click(`.owed a[href="/inbox/` + w.advisory + `"]`)
	b.says("answer.title", "answer.false_alarm", "answer.true_incident", "answer.undetermined")
	b.shows(w.defanged)
	text := ask[string](b, "document.body.innerText")
	for _, m := range w.attacked() {
		if strings.Contains(text, m.Name) || strings.Contains(text, m.NameZh) {
			b.Errorf("the inbox names %s", m.ID)
		}
	}
	b.check(`input[name="answer"][value="false_alarm"]`)
	b.turn(chromedp.Evaluate[chromedp.Void](`document.querySelector('form[action$="/answer"]').requestSubmit()`))
	b.says("answer.reason_missing")
	b.do(chromedp.SendKeys(chromedp.CSS("#f-reason"), "更新主機 / our update server"))
	b.click(`form[action$="/answer"] button.primary`)
	b.says("answer.saved", "answer.change")
}

// totals: the centre sees the answer at the member, the authority a number.
func (w *walk) totals() {
	w.Helper()
	b := w.people["analyst"]
	b.visit("/advisories/" + w.advisory)
	b.says("answer.false_alarm", "advisory.no_answer")
	b.shows(w.name(w.members[0]), "更新主機 / our update server")
	authority := w.people["authority"]
	authority.visit("/figures")
	n := len(w.receivers())
	row := ask[[]string](authority, `[...document.querySelector("tbody tr").children].map((e) => e.textContent.trim())`)
	if len(row) != 10 || row[4] != fmt.Sprint(n) {
		authority.Errorf("the authority's row is %q, want %d receivers", row, n)
	}
	for _, name := range w.receivers() {
		if strings.Contains(strings.Join(row, " "), name) {
			authority.Errorf("the authority's figures name %s", name)
		}
	}
}

// events finds the planted records again.
func (w *walk) events() {
	w.Helper()
	b := w.people["analyst"]
	b.visit("/events")
	b.says("monitor.events.title", "monitor.events.histogram")
	b.do(press("f"))
	b.turn(chromedp.KeyEvent("ip:"+w.address), press("Enter"))
	if n := ask[int](b, `document.querySelectorAll("table.events tbody tr").length`); n != len(w.attacked()) {
		b.Errorf("%d records about %s, want %d", n, w.address, len(w.attacked()))
	}
	b.do(press("j"))
	b.turn(press("Enter"))
	b.says("monitor.event.raw", "monitor.event.observables")
	b.shows(w.defanged)
	b.visit(query("/events", "q", "ip:198.51.100.255"))
	b.says("monitor.events.none")
}

// administer makes a key, which is shown once.
func (w *walk) administer() {
	w.Helper()
	b := w.people["administrator"]
	member := "/admin/members/" + string(w.members[3].ID)
	b.visit("/admin/members")
	b.shows(w.name(w.members[3]))
	b.click(`a[href="` + member + `"]`)
	keys := "/keys?member=" + string(w.members[3].ID)
	b.click(`a[href="` + keys + `"]`)
	b.click(`a[href^="/keys/new"]`)
	b.check(`input[name="scopes"][value="records"]`)
	b.click(`form[action="/keys/new"] button.primary`)
	w.prove("administrator")
	secret := ask[string](b, `document.querySelector(".secret code").textContent`)
	if len(secret) < 20 {
		b.Errorf("the new key is %q", secret)
	}
	b.visit(keys)
	if strings.Contains(ask[string](b, "document.documentElement.outerHTML"), secret) {
		b.Error("the key is shown a second time")
	}
	for path, word := range map[string]string{"/admin/people": "admin.people.title", "/admin/health": "admin.health.good"} {
		b.visit(path)
		b.says(word)
	}
}

// picture is the pulse after everything that happened, and the homes.
func (w *walk) picture() {
	w.Helper()
	b := w.people["analyst"]
	b.visit("/pulse")
	b.do(chromedp.Sleep(2 * time.Second)) // the marks of what changed while it loaded fade
	b.screenshot("pulse")
	for name, seat := range map[string]string{"home-centre": "analyst", "home-authority": "authority"} {
		w.people[seat].visit("/")
		w.people[seat].screenshot(name)
	}
}

// withdraw takes the warning back, and the member's inbox says so.
func (w *walk) withdraw() {
	w.Helper()
	b := w.people["manager"]
	b.visit("/advisories/" + w.advisory + "/withdraw")
	b.shows(b.word("withdraw.to", len(w.receivers())))
	b.do(chromedp.SendKeys(chromedp.CSS("#f-reason"), "content network"))
	b.click(`form[action$="/withdraw"] button.danger`)
	w.prove("manager")
	b.says("advisory.state.withdrawn")
	for _, seat := range []string{"staff", "other"} {
		reader := w.people[seat]
		reader.visit("/inbox")
		reader.says("inbox.withdrawn")
		reader.click(`a[href="/inbox/` + w.advisory + `"]`)
		reader.says("inbox.withdrawn_text", "answer.withdrawn")
	}
}

// fewerColours writes a PNG with a palette of the 256 colours that matter
// most; pictures of pages have few, and the repository keeps these.
func fewerColours(raw []byte) ([]byte, error) {
	full, err := png.Decode(bytes.NewReader(raw))
	if err != nil {
		return nil, err
	}
	count := map[color.RGBA]int{}
	size := full.Bounds()
	for y := size.Min.Y; y < size.Max.Y; y++ {
		for x := size.Min.X; x < size.Max.X; x++ {
			count[color.RGBAModel.Convert(full.At(x, y)).(color.RGBA)]++
		}
	}
	var often []color.RGBA
	for c := range count {
		often = append(often, c)
	}
	slices.SortFunc(often, func(a, b color.RGBA) int { return count[b] - count[a] })
	colours := color.Palette{}
	for _, c := range often[:min(len(often), 256)] {
		colours = append(colours, c)
	}
	small := image.NewPaletted(size, colours)
	nearest := map[color.RGBA]uint8{}
	for y := size.Min.Y; y < size.Max.Y; y++ {
		for x := size.Min.X; x < size.Max.X; x++ {
			c := color.RGBAModel.Convert(full.At(x, y)).(color.RGBA)
			i, known := nearest[c]
			if !known {
				i = uint8(colours.Index(c)) //nolint:gosec // at most 256 colours
				nearest[c] = i
			}
			small.SetColorIndex(x, y, i)
		}
	}
	var out bytes.Buffer
	err = (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&out, small)
	return out.Bytes(), err
}
