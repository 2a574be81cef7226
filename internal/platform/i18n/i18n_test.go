package i18n

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"unicode"

	"github.com/google/go-cmp/cmp"
)

func TestText(t *testing.T) {
	c := load(t, `{"a.plain":"Plain","a.one":"{0} alert","a.many":"{0} {0|alert|alerts} at {1}","a.inner":"<{0}>"}`,
		`{"a.plain":"純文字","a.one":"{0} 則","a.many":"{1} 有 {0} 則","a.inner":"〈{0}〉"}`)
	tests := []struct {
		lang Lang
		key  string
		args []any
		want string
	}{
		{En, "a.plain", nil, "Plain"},
		{En, "a.many", []any{1, "noon"}, "1 alert at noon"},
		{En, "a.many", []any{1234, "noon"}, "1,234 alerts at noon"},
		{ZhHant, "a.many", []any{2, "中午"}, "中午 有 2 則"},
		{En, "a.inner", []any{Key("a.plain")}, "<Plain>"},
		{ZhHant, "a.inner", []any{Key("a.plain")}, "〈純文字〉"},
		{En, "a.one", []any{"8080"}, "8080 alert"},
		{En, "a.one", []any{int64(-1234567)}, "-1,234,567 alert"},
	}
	for _, test := range tests {
		got, err := c.Text(test.lang, test.key, test.args...)
		if err != nil || got != test.want {
			t.Errorf("%s %s %v: %q, %v; want %q", test.lang, test.key, test.args, got, err, test.want)
		}
	}
}

func TestTextRefuses(t *testing.T) {
	c := load(t, `{"a.b":"x {1}"}`, `{"a.b":"字 {1}"}`)
	if text, err := c.Text(En, "a.c"); err == nil {
		t.Errorf("an unknown key gives %q", text)
	}
	if text, err := c.Text(En, "a.b", 1); err == nil {
		t.Errorf("a missing argument gives %q", text)
	}
	if got := c.T(En, "a.c"); got != "⟦a.c⟧" {
		t.Errorf("T of an unknown key is %q", got)
	}
}

func TestLoadRefuses(t *testing.T) {
	tests := map[string]struct{ en, zh, says string }{
		"twice":              {`{"a.b":"x","a.b":"y"}`, `{"a.b":"字"}`, "given twice"},
		"only in one":        {`{"a.b":"x","a.c":"y"}`, `{"a.b":"字"}`, "missing in zh-Hant"},
		"other placeholders": {`{"a.b":"x {0}"}`, `{"a.b":"字 {1}"}`, "placeholders differ"},
		"no dot":             {`{"ab":"x"}`, `{"ab":"字"}`, "dotted words"},
		"empty":              {`{"a.b":" "}`, `{"a.b":"字"}`, "empty"},
		"open placeholder":   {`{"a.b":"x {0"}`, `{"a.b":"字"}`, "without end"},
		"named placeholder":  {`{"a.b":"x {n}"}`, `{"a.b":"字"}`, "bad placeholder"},
		"one form":           {`{"a.b":"x {0|y}"}`, `{"a.b":"字"}`, "two forms"},
		"not text":           {`{"a.b":1}`, `{"a.b":"字"}`, "a.b"},
		"a list":             {`["a.b"]`, `{"a.b":"字"}`, "not a JSON object"},
	}
	for name, test := range tests {
		_, err := LoadFS(files(test.en, test.zh))
		if err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: %v, want %q", name, err, test.says)
		}
	}
}

func files(en, zh string) fstest.MapFS {
	return fstest.MapFS{"en/a.json": {Data: []byte(en)}, "zh-Hant/a.json": {Data: []byte(zh)}}
}

func load(t *testing.T, en, zh string) *Catalogue {
	t.Helper()
	c, err := LoadFS(files(en, zh))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestNegotiate(t *testing.T) {
	tests := []struct {
		name, cookie, url, accept string
		want                      Lang
	}{
		{"nothing", "", "/", "", En},
		{"Taiwan", "", "/", "zh-TW,zh;q=0.9,en;q=0.8", ZhHant},
		{"any Chinese", "", "/", "zh-CN", ZhHant},
		{"English first", "", "/", "en-GB,zh-TW;q=0.5", En},
		{"by weight", "", "/", "en;q=0.3,zh-TW;q=0.7", ZhHant},
		{"another first", "", "/", "fr,zh-TW;q=0.5", ZhHant},
		{"link", "", "/?lang=zh-Hant", "en", ZhHant},
		{"choice beats link", "en", "/?lang=zh-Hant", "zh", En},
		{"unknown choice", "xx", "/", "zh", ZhHant},
		{"nonsense", "", "/?lang=../../x", ";;;", En},
		{"too long", "", "/", strings.Repeat("zh,", 200), En},
	}
	for _, test := range tests {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, test.url, nil)
		r.Header.Set("Accept-Language", test.accept)
		if test.cookie != "" {
			r.AddCookie(&http.Cookie{Name: CookieName, Value: test.cookie})
		}
		if got := Negotiate(r); got != test.want {
			t.Errorf("%s: %s, want %s", test.name, got, test.want)
		}
	}
}

// The tests below read the real catalogue.

func TestCatalogueLoads(t *testing.T) {
	c, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	areas, err := Areas()
	if err != nil {
		t.Fatal(err)
	}
	for _, area := range []string{"admin", "common", "errors", "pulse", "signin"} {
		if !strings.Contains(strings.Join(areas, " "), area) {
			t.Errorf("area %s is not there", area)
		}
	}
	if len(c.Keys()) < 100 {
		t.Errorf("only %d keys", len(c.Keys()))
	}
}

// sameInBoth lists keys whose Chinese text needs no Han: names and units that
// both languages write alike.
func sameInBoth(key string) bool {
	for _, same := range []string{"common.product", "common.lang.en", "common.zone.UTC", "common.time.length"} {
		if key == same {
			return true
		}
	}
	return strings.HasSuffix(key, ".code")
}

// eachText calls f with every text as written.
func eachText(t *testing.T, lang Lang, f func(area, key, text string)) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join("catalogue", string(lang), "*.json"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no catalogue for %s: %v", lang, err)
	}
	for _, path := range paths {
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		pairs, err := readPairs(raw)
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		for _, p := range pairs {
			f(filepath.Base(path), p.key, p.text)
		}
	}
}

func TestEnglishIsEnglish(t *testing.T) {
	eachText(t, En, func(area, key, text string) {
		if strings.ContainsFunc(text, func(r rune) bool { return unicode.Is(unicode.Han, r) }) && !strings.HasPrefix(key, "common.lang.") {
			t.Errorf("%s: %s: Chinese in the English text %q", area, key, text)
		}
	})
}

func TestChineseIsTaiwans(t *testing.T) {
	eachText(t, ZhHant, func(area, key, text string) {
		for _, problem := range chineseProblems(key, text) {
			t.Errorf("%s: %s: %s in %q", area, key, problem, text)
		}
	})
}

func chineseProblems(key, text string) []string {
	var problems []string
	if !sameInBoth(key) && !strings.ContainsFunc(text, func(r rune) bool { return unicode.Is(unicode.Han, r) }) {
		problems = append(problems, "no Chinese")
	}
	for mainland, ours := range mainlandTerms() {
		if strings.Contains(text, mainland) {
			problems = append(problems, mainland+" (write "+ours+")")
		}
	}
	for _, r := range text {
		if strings.ContainsRune(simplifiedOnly, r) {
			problems = append(problems, "the simplified "+string(r))
		}
	}
	for _, bad := range []string{",", ";", "?", "!"} {
		if i := strings.Index(text, bad); i > 0 && unicode.Is(unicode.Han, []rune(text[:i])[len([]rune(text[:i]))-1]) {
			problems = append(problems, "half-width "+bad+" after Chinese")
		}
	}
	return problems
}

// mainlandTerms are words that Taiwan says otherwise.
func mainlandTerms() map[string]string {
	return map[string]string{
		"信息": "資訊、訊息", "網絡": "網路", "程序": "程式", "默認": "預設", "服務器": "伺服器", "用戶": "使用者",
		"登錄": "登入", "登陸": "登入", "視頻": "影片", "軟件": "軟體", "硬件": "硬體", "數據庫": "資料庫", "數據": "資料",
		"賬戶": "帳戶", "賬號": "帳號", "文件夾": "資料夾", "鼠標": "滑鼠", "屏幕": "螢幕", "激活": "啟用", "鏈接": "連結",
		"打印": "列印", "搜索": "搜尋", "字符": "字元", "字節": "位元組", "緩存": "快取", "接口": "介面",
		"添加": "新增", "保存密碼": "儲存密碼", "內存": "記憶體", "硬盤": "硬碟", "質量": "品質", "優化": "最佳化",
		"消息隊列": "訊息佇列", "隊列": "佇列", "線程": "執行緒", "進程": "處理程序", "郵箱": "信箱", "短信": "簡訊",
		"博客": "部落格", "博文": "文章", "實時": "即時", "在線": "線上", "離線狀態": "離線", "反饋": "回饋", "菜單": "選單",
		"窗口": "視窗", "設置": "設定", "加載": "載入", "導出": "匯出", "導入": "匯入", "通過驗證": "驗證成功",
		"哈希": "雜湊", "域名": "網域名稱", "端口": "連接埠", "病毒庫": "病毒碼", "運維": "維運", "黑名單庫": "封鎖清單",
	}
}

// simplifiedOnly are common characters that Traditional Chinese does not use.
const simplifiedOnly = "们这个为来时说国会学发对开关门问间见现观规觉视览讯议记许设访证评识词语请读调谁课谢译试话该详误资费账货贡财责败购质贸贵赛赞车转轮软载较辑输边达迁过运还进远违连迟适选递络绝统继续维综编缓网线组细终经结给绍级纪约纯纸纷阅阶际陆险随难韧顶项顺须预领频题额风飞馆驱验鱼鲜齐龙归当录总户执扩扫护报拟择换据损摄敌数断无术机杂权条来标样档检横欢气汇汉沟测济渐灵点热爱牵状独环电监盘码础确离种称穷窃竞笔签简类粮红纳纵绑绿缘缩罗罚聪职联脉脑节药营蓝虑虽补装计订认让议讲论评诉诊译诚质踪释钟钥锁错键长闭闻队阳阴陈响页顾颜飘饰体么与专业东两严丧丰临举义乐习书买乱争亏云亚产亲亿仅从仓仪价众优伙伟传伤伦伪余债倾储儿党兰兴养兽军农冲决况冻净凉减凑凤凭凯击创则刚别删动务劳势协单卖卫厂历压厅厉县参双变叙号叹后吗启员响唤团园围图圆圣场坏块坚坛坝坠垒垦备够头夹夺奋奖妇妈妆娱婴孙宁宝实审宪宽宾对寻导寿将尔尘尝层属岁岛岗币帅师帐帮带库应庙废张弹强归忆忧怀态怜总恋恶悬惊惧惨惯愤愿"

func TestTheWatchIsAwake(t *testing.T) {
	tests := map[string]string{
		"請輸入用戶名稱":      "用戶 (write 使用者)",
		"默認設定":         "默認 (write 預設)",
		"网路":           "the simplified 网",
		"Only English": "no Chinese",
		"失敗,請再試":       "half-width , after Chinese",
	}
	for text, want := range tests {
		if diff := cmp.Diff([]string{want}, chineseProblems("a.b", text)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", text, diff)
		}
	}
}
