package monitor

import (
	"time"

	"github.com/aspis-platform/aspis/internal/sector"
)

// What the operations read and answer, for the API's document.
type (
	idIn struct {
		ID string `path:"id"`
	}
	eventsIn struct {
		Text      string    `query:"q" doc:"Words and fields, as in the look-up: ip:, domain:, host:, member:, source: …"`
		From      time.Time `query:"from"`
		To        time.Time `query:"to"`
		After     string    `query:"after" doc:"The next of the page before."`
		Limit     int       `query:"limit" minimum:"1" maximum:"500" default:"50"`
		Histogram int       `query:"histogram" doc:"How many bars over the time; none when left out."`
	}
	eventsOut struct{ Body eventsJSON }
	eventOut  struct{ Body eventJSON }
	alertsIn  struct {
		State    string          `query:"state" doc:"States with commas between: new, in_progress, true_positive, false_positive, closed."`
		Severity string          `query:"severity" enum:"informational,low,medium,high,critical" doc:"At least this."`
		Cause    Cause           `query:"cause"`
		Member   sector.MemberID `query:"member" doc:"For the centre: one that it concerns."`
		Rule     string          `query:"rule"`
		Text     string          `query:"q"`
		Sort     string          `query:"sort" enum:"raised,severity,last,count" default:"raised"`
		Dir      string          `query:"dir" enum:"asc,desc" default:"desc"`
		After    string          `query:"after" doc:"The next of the page before."`
		Limit    int             `query:"limit" minimum:"1" maximum:"200" default:"50"`
	}
	alertsOut struct{ Body alertPageJSON }
	alertOut  struct{ Body alertJSON }
	triageIn  struct {
		ID      string `path:"id"`
		IfMatch string `header:"If-Match" doc:"The version that was seen, in place of the body's."`
		Body    patchJSON
	}
	letterIn struct {
		ID string `path:"id"`
	}
	lettersIn struct {
		After string `query:"after" doc:"The next of the page before."`
		Limit int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
	}
	lettersOut struct{ Body letterPageJSON }
	letterOut  struct{ Body letterJSON }
	recordsIn  struct {
		Key string `header:"Idempotency-Key" doc:"The same batch with the same key is answered as the first time."`
	}
	doorOut struct{ Body answerJSON }
	noneOut struct{}
)

// alertPageJSON is a page of alerts.
type alertPageJSON struct {
	Alerts []alertJSON `json:"alerts"`
	Next   string      `json:"next,omitempty"`
}

// letterPageJSON is a page of dead letters.
type letterPageJSON struct {
	Rejected []letterJSON `json:"rejected"`
	Next     string       `json:"next,omitempty"`
}
