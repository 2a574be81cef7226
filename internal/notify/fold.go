package notify

import "time"

// Fold is how much of a topic one recipient was told lately.
type Fold struct {
	Started time.Time // of the window
	Sent    int       // at once, within it
	Pending string    // the summary that collects; empty for none
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

// add folds one more event into f. Of any window's events at most burst go at
// once and the rest in one summary, which opens the next window.
func (f *Fold) add(now time.Time, window time.Duration, burst int) step {
	switch {
	case f.Pending != "":
		return step{pending: f.Pending}
	case now.Sub(f.Started) >= window:
		f.Started, f.Sent = now, 1
		return step{due: now}
	case f.Sent < burst:
		f.Sent++
		return step{due: now}
	}
	return step{due: f.Started.Add(window), collect: true}
}

// Close is the fold after its summary was taken up for sending: what follows
// within a window is collected again. The store calls it.
func (f Fold) Close(now time.Time, burst int) Fold {
	return Fold{Started: now, Sent: burst}
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
