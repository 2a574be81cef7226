package access

import (
	"strconv"
	"strings"

	"github.com/aspis-platform/aspis/internal/platform/errs"
)

// VersionTag is the ETag of a version of something that is edited.
func VersionTag(version int) string { return `"v` + strconv.Itoa(version) + `"` }

// Version is the version that an If-Match names; 0 is what was never saved.
// Changing without saying what was seen is refused: it would overwrite what
// others did meanwhile.
func Version(ifMatch string) (int, error) {
	if strings.TrimSpace(ifMatch) == "" {
		return 0, errs.New(errs.Invalid, "api.if_match_missing")
	}
	text, ok := strings.CutPrefix(strings.TrimSpace(ifMatch), `"v`)
	text, closed := strings.CutSuffix(text, `"`)
	n, err := strconv.Atoi(text)
	if !ok || !closed || err != nil || n < 0 {
		return 0, errs.New(errs.Invalid, "api.if_match", ifMatch)
	}
	return n, nil
}

// Changed is the refusal of a change to something that is not any more what
// the client saw: details say what it is now.
func Changed(now any) error { return errs.New(errs.Stale, "api.stale").With(now) }
