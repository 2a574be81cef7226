package search

import (
	_ "embed" // the guides
	"encoding/json"
	"fmt"
)

//go:embed guides/guides.json
var guidesFile []byte //nolint:gochecknoglobals // embedded files must be variables

// Guides are the guides that everybody finds.
func Guides() ([]Page, error) {
	var list []struct {
		ID, Href    string
		Title, Body Text
	}
	if err := json.Unmarshal(guidesFile, &list); err != nil {
		return nil, fmt.Errorf("search: guides.json: %w", err)
	}
	pages := make([]Page, len(list))
	for i, g := range list {
		pages[i] = Page{Kind: Guide, ID: g.ID, Title: g.Title, Body: g.Body, Href: g.Href}
	}
	return pages, nil
}
