package sigma

import (
	"cmp"
	"slices"
)

// Sharding splits the groups of a Ruleset's correlations over several
// Correlators, so that each can be fed by a worker of its own and together
// they find what one would.
//
// A group falls to the shard that the hash of its group-by values gives.
// Correlations that refer to each other are one family and fall together: they
// are split by the group-by fields that all of them have, and where they have
// none in common, the whole family is followed by one shard. Every Correlator
// may be given every occurrence and takes its own; [Sharding.Each] says which
// ones need it. All must be told the same watermarks.
type Sharding struct {
	n      int
	byRule map[string][]shardFeed
}

type shardFeed struct {
	family family
	fields []string // of the rule's events, by group-by field
}

// family is a set of correlations that refer to each other.
type family struct {
	name string
	dims []int // the group-by fields of one of them that all have, in the same order
}

// NewSharding returns the splitting of a Ruleset over n Correlators.
func NewSharding(set *Ruleset, n int) *Sharding {
	s := &Sharding{n: max(n, 1), byRule: map[string][]shardFeed{}}
	for _, co := range NewCorrelator(set, CorrelatorOptions{}).rules {
		for i, f := range co.feeds {
			if f.from == nil {
				id := co.c.Rules[i]
				s.byRule[id] = append(s.byRule[id], shardFeed{family{co.family, co.dims}, f.groupBy})
			}
		}
	}
	return s
}

// Each calls f for the shards that an occurrence concerns, each once.
func (s *Sharding) Each(o Occurrence, f func(shard int)) {
	var told []int
	for _, feed := range s.byRule[o.Rule] {
		var key []byte
		complete := true
		for _, name := range feed.fields {
			v, ok := o.Lookup(name)
			key, complete = appendKey(key, bound(v)), complete && ok
		}
		if !complete {
			continue
		}
		if shard := s.shard(feed.family.name, feed.family.dims, string(key)); !slices.Contains(told, shard) {
			told = append(told, shard)
			f(shard)
		}
	}
}

// shard returns the shard of a group.
func (s *Sharding) shard(family string, dims []int, key string) int {
	values := splitKey(key)
	parts := []string{family}
	for _, i := range dims {
		parts = append(parts, values[i])
	}
	return int(hash64(parts...) % uint64(s.n))
}

// families finds the correlations that belong together and the group-by fields
// that all of a family have, by the id of each.
func families(rules []*correlated) map[string]family {
	kin, same := &unions[*correlated]{}, &unions[dimension]{}
	for _, co := range rules {
		kin.find(co)
		for i, name := range co.c.GroupBy {
			same.find(dimension{co, i})
			for _, f := range co.feeds {
				if f.from == nil {
					continue
				}
				if k := slices.Index(f.from.c.GroupBy, co.c.field(name, f.from.rule.ID)); k >= 0 {
					same.join(dimension{co, i}, dimension{f.from, k})
				}
			}
		}
		for _, f := range co.feeds {
			if f.from != nil {
				kin.join(co, f.from)
			}
		}
	}
	out := make(map[string]family, len(rules))
	for _, relatives := range kin.sets() {
		addFamily(out, relatives, same)
	}
	return out
}

// dimension is a group-by field of a correlation.
type dimension struct {
	of    *correlated
	field int
}

func addFamily(out map[string]family, relatives []*correlated, same *unions[dimension]) {
	slices.SortFunc(relatives, func(a, b *correlated) int { return cmp.Compare(a.rule.ID, b.rule.ID) })
	first := relatives[0]
	dims := map[*correlated][]int{}
	for i := range first.c.GroupBy {
		one := map[*correlated]int{}
		many := false
		for _, d := range same.set(dimension{first, i}) {
			_, again := one[d.of]
			many = many || again
			one[d.of] = d.field
		}
		if many || len(one) != len(relatives) {
			continue
		}
		for co, field := range one {
			dims[co] = append(dims[co], field)
		}
	}
	for _, co := range relatives {
		out[co.rule.ID] = family{name: first.rule.ID, dims: dims[co]}
	}
}

// unions are disjoint sets.
type unions[T comparable] struct{ all [][]T }

func (u *unions[T]) find(x T) int {
	for i, set := range u.all {
		if slices.Contains(set, x) {
			return i
		}
	}
	u.all = append(u.all, []T{x})
	return len(u.all) - 1
}

func (u *unions[T]) join(x, y T) {
	if i, j := u.find(x), u.find(y); i != j {
		u.all[i], u.all[j] = append(u.all[i], u.all[j]...), nil
	}
}

func (u *unions[T]) set(x T) []T { return u.all[u.find(x)] }

func (u *unions[T]) sets() [][]T {
	return slices.DeleteFunc(slices.Clone(u.all), func(set []T) bool { return len(set) == 0 })
}
