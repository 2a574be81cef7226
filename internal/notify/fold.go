package notify

import (
	"slices"
	"time"
)

// Fold is what one recipient was told of a topic lately.
type Fold struct {
	Sent    []time.Time // of the last mails, oldest first; at most the topic's burst
	Pending string      // the summary that collects; empty for none
}

// FoldKey names a fold.
type FoldKey struct {
	Recipient Recipient
	Topic     Topic
}

// step is what folding does with one more event.
type step struct {
	pending string    // append to this message
	due     time.Time // else: a new message, due then
	collect bool      // which collects what follows
}

// add folds one more event into f, so that no window of time has more than
// burst mails: what is beyond is collected in one summary, which goes when
// the oldest of the last mails is a window old.
func (f *Fold) add(now time.Time, window time.Duration, burst int) step {
	if f.Pending != "" {
		return step{pending: f.Pending}
	}
	if len(f.Sent) >= burst {
		if free := f.Sent[len(f.Sent)-burst].Add(window); free.After(now) {
			return step{due: free, collect: true}
		}
	}
	*f = f.Close(now, burst)
	return step{due: now}
}

// Close is the fold after a mail went, at once or as the summary. The store
// calls it when a summary is taken up for sending.
func (f Fold) Close(now time.Time, burst int) Fold {
	sent := append(slices.Clone(f.Sent), now)
	return Fold{Sent: sent[max(0, len(sent)-burst):]}
}

// collectDay folds one more event into a digest.
func (f *Fold) collectDay(now time.Time, hour int) step {
	if f.Pending != "" {
		return step{pending: f.Pending}
	}
	return step{due: nextHour(now, hour), collect: true}
}

// taipei is the zone of the digest's hour. It has had no daylight saving
// since 1979.
func taipei() *time.Location { return time.FixedZone("UTC+8", 8*60*60) }

// nextHour is the next full hour of the day after now.
func nextHour(now time.Time, hour int) time.Time {
	local := now.In(taipei())
	at := time.Date(local.Year(), local.Month(), local.Day(), hour, 0, 0, 0, taipei())
	if !at.After(now) {
		at = at.AddDate(0, 0, 1)
	}
	return at.UTC()
}
