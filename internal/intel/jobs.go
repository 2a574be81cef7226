package intel

import "github.com/aspis-platform/aspis/internal/sector"

// The kinds of background work.
const (
	JobMail      = "mail.send"
	JobRetroHunt = "intel.retrohunt"
)

// mailSend is the work of mailing one member about one release.
type mailSend struct {
	Advisory AdvisoryID      `json:"advisory"`
	Release  string          `json:"release"`
	Member   sector.MemberID `json:"member"`
	Recall   bool            `json:"recall,omitempty"`
}

// retroHunt is the work of looking for an advisory's indicators in history.
type retroHunt struct {
	Advisory AdvisoryID `json:"advisory"`
}
