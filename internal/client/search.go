package client

import (
	"context"
	"encoding/json"
	"iter"
	"net/url"
)

// Hit is something that was found, with its kind.
type Hit struct {
	Kind  string `json:"kind"`
	ID    string `json:"id"`
	Title Text   `json:"title"`
	State string `json:"state"`
	TLP   string `json:"tlp"`
}

// group is what was found of one kind.
type group struct {
	Kind string            `json:"kind"`
	Hits []json.RawMessage `json:"hits"`
	Next string            `json:"next"`
}

// Search finds by words, of one kind or, where kind is empty, of all; every
// kind's list is read on until limit hits came (0: all).
func Search(ctx context.Context, c *Client, words, kind string, limit int) iter.Seq2[Raw[Hit], error] {
	return func(yield func(Raw[Hit], error) bool) {
		n := 0
		give := func(g group) (more bool, err error) {
			for _, raw := range g.Hits {
				hit, err := newHit(g.Kind, raw)
				if err != nil {
					return false, err
				}
				if n++; !yield(hit, nil) || n == limit {
					return false, nil
				}
			}
			return true, nil
		}
		groups, err := c.groups(ctx, words, kind, "")
		for len(groups) > 0 && err == nil {
			g := groups[0]
			more, wrong := give(g)
			if wrong != nil {
				err = wrong
				break
			}
			if !more {
				return
			}
			if groups = groups[1:]; g.Next != "" {
				var rest []group
				rest, err = c.groups(ctx, words, g.Kind, g.Next)
				groups = append(rest, groups...)
			}
		}
		if err != nil {
			yield(Raw[Hit]{}, err)
		}
	}
}

func (c *Client) groups(ctx context.Context, words, kind, cursor string) ([]group, error) {
	q := url.Values{"q": {words}}
	for name, value := range map[string]string{"kind": kind, "cursor": cursor} {
		if value != "" {
			q.Set(name, value)
		}
	}
	var answer struct{ Groups []group }
	_, err := c.Do(ctx, Request{Path: "/api/v1/search", Query: q}, &answer)
	return answer.Groups, err
}

// newHit writes the kind, which a group says once, into the hit.
func newHit(kind string, raw json.RawMessage) (Raw[Hit], error) {
	var h Raw[Hit]
	all := map[string]json.RawMessage{}
	if err := json.Unmarshal(raw, &all); err != nil {
		return h, err
	}
	word, err := json.Marshal(kind)
	if err != nil {
		return h, err
	}
	all["kind"] = word
	whole, err := json.Marshal(all)
	if err != nil {
		return h, err
	}
	return h, json.Unmarshal(whole, &h)
}
