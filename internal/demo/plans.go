package demo

import "sync"

// maxPlans bounds the plans that are kept: those that can be going on at once,
// and some more.
const maxPlans = 256

// plans keeps the plans of attacks and campaigns that are going on, so that
// not every member works them out again every second.
type plans struct {
	mu   sync.Mutex
	kept map[planKey][]step
}

type planKey struct {
	purpose string
	k       int64
}

func (p *plans) of(purpose string, k int64, plan func(int64) []step) []step {
	key := planKey{purpose, k}
	p.mu.Lock()
	steps, ok := p.kept[key]
	p.mu.Unlock()
	if ok {
		return steps
	}
	steps = plan(k)
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.kept) >= maxPlans || p.kept == nil {
		p.kept = map[planKey][]step{}
	}
	p.kept[key] = steps
	return steps
}
