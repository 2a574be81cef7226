package pulse

import (
	"context"
	"time"

	"github.com/aspis-platform/aspis/internal/access"
	"github.com/aspis-platform/aspis/internal/sector"
)

// stationJSON are the figures of a station, as the viewer is shown them:
// "1,234", or a mark where a number is withheld.
type stationJSON struct {
	Stage     Stage     `json:"stage"`
	Total     string    `json:"total" doc:"In the last hour."`
	PerSecond float64   `json:"per_second" doc:"Over the last minute; 0 also where it is withheld."`
	Waiting   string    `json:"waiting"`
	Condition Condition `json:"condition,omitempty" enum:"slow,down"`
}

type pulseOut struct {
	Body struct {
		At       time.Time     `json:"at"`
		Stages   []stationJSON `json:"stages"`
		ToAlert  float64       `json:"to_alert_seconds,omitempty" doc:"From accepted to alert, the 99th percentile of the last hour."`
		ToMember float64       `json:"to_member_seconds,omitempty" doc:"From release to being readable, the same."`
	}
}

// MountAPI adds GET /api/v1/pulse.
func MountAPI(routes *access.Routes, src Source) {
	feed := newFeed(src, time.Second)
	access.Operation(routes, "GET /api/v1/pulse", sector.ReadPulse, access.Doc{ID: "pulse-show", Tag: "health"},
		func(ctx context.Context, _ *struct{}) (*pulseOut, error) {
			s, err := feed.snapshot(ctx, sector.ViewerFrom(ctx))
			if err != nil {
				return nil, err
			}
			out := &pulseOut{}
			out.Body.At, out.Body.ToAlert, out.Body.ToMember = s.At, s.ToAlert.Seconds(), s.ToMember.Seconds()
			for _, stage := range Stages() {
				c := s.Counts[stage]
				out.Body.Stages = append(out.Body.Stages, stationJSON{stage, c.Total.String(), c.Rate.PerSecond(), c.Waiting.String(), c.Condition})
			}
			return out, nil
		})
}
