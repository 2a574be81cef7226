package password_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/aspis-platform/aspis/internal/platform/errs"
	"github.com/aspis-platform/aspis/internal/platform/password"
)

func TestHashAndVerify(t *testing.T) {
	ctx := context.Background()
	h := password.NewHasher(1)
	phc, err := h.Hash(ctx, "caf\u00e9 am Ufer des Flusses")
	if err != nil || !strings.HasPrefix(phc, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Fatalf("%q, %v", phc, err)
	}
	for try, want := range map[string]bool{
		"caf\u00e9 am Ufer des Flusses":  true,
		"cafe\u0301 am Ufer des Flusses": true, // another keyboard, the same characters
		"cafe am Ufer des Flusses":       false,
		"":                               false,
		strings.Repeat("x", 10_000):      false,
	} {
		if ok, err := h.Verify(ctx, phc, try); ok != want || err != nil {
			t.Errorf("%q: %v, %v", try, ok, err)
		}
	}
	if ok, err := h.Verify(ctx, password.Decoy, ""); ok || err != nil {
		t.Errorf("the decoy lets in: %v, %v", ok, err)
	}
	if _, err := h.Verify(ctx, "plain", "plain"); err == nil {
		t.Error("a stored text that is no hash is taken")
	}
	again, err := h.Hash(ctx, "caf\u00e9 am Ufer des Flusses")
	if err != nil || again == phc {
		t.Errorf("two people's equal passwords hash alike: %v", err)
	}
}

func TestAHasherWaitsNoLongerThanItsCaller(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := password.NewHasher(0).Hash(ctx, "x"); err == nil {
		t.Error("hashed without a turn")
	}
}

func TestCheck(t *testing.T) {
	words := []string{"mei.lin@jade-bank.example", "Jade Commercial Bank", "翠玉銀行"}
	tests := map[string]string{
		"a sentence that nobody guesses": "",
		"豆花要吃熱的不要吃冰的才好":                  "",
		"short":                     "password.short",
		"password1234":              "password.weak",
		"aaaaaaaaaaaaaaaa":          "password.weak",
		"qwertyuiop123":             "password.weak",
		"jade-bank2026":             "password.weak",
		"翠玉銀行翠玉銀行翠玉銀行":              "password.weak",
		"翠玉銀行的密碼二零二六":               "password.short",
		"我的翠玉銀行翠玉銀行翠玉銀行":            "password.weak",
		"哈哈哈哈嘿嘿嘿嘿呵呵呵呵":              "password.weak",
		"mei.lin@jade-bank.example": "password.weak",
		strings.Repeat("x", 257):    "password.long",
	}
	for try, want := range tests {
		err := password.Check(try, words...)
		if want == "" && err != nil || want != "" && (!errs.Is(err, errs.Invalid) || !strings.HasPrefix(err.Error(), want)) {
			t.Errorf("%q: %v, want %q", try, err, want)
		}
	}
	if err := password.Check("jade-bank2026"); err != nil {
		t.Errorf("the words are not what makes it weak: %v", err)
	}
}

// The estimate is quadratic: what people send must not keep a core busy.
func TestCheckIsBounded(t *testing.T) {
	began := time.Now()
	for _, long := range []string{strings.Repeat("aB1!", 64), strings.Repeat("password", 32), strings.Repeat("龍", 85)} {
		_ = password.Check(long, strings.Repeat("a b c d ", 40), strings.Repeat("x", 4000))
	}
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("three long passwords took %v", took)
	}
}

func FuzzCheck(f *testing.F) {
	f.Add("correct horse battery staple", "mei@jade.example")
	f.Fuzz(func(t *testing.T, try, word string) {
		if len(try) > 4096 || len(word) > 4096 {
			return
		}
		if err := password.Check(try, word); err != nil && !errs.Is(err, errs.Invalid) {
			t.Errorf("%v", err)
		}
	})
}
