package taxii

import "strings"

// kind is the kind of resource a URL names.
type kind int

const (
	kindDiscovery kind = iota
	kindRoot
	kindStatus
	kindCollections
	kindCollection
	kindManifest
	kindObjects
	kindObject
	kindVersions
)

// target is what a URL names.
type target struct {
	kind       kind
	collection string // id or alias
	object     string
	status     string
}

// route reads the path of a URL. The specification ends every path with a slash;
// clients forget it, so it may be left out.
func (s *Server[V]) route(path string) (Root, target, bool) {
	if !strings.HasSuffix(path, "/") {
		path += "/"
	}
	if path == DiscoveryPath {
		return Root{}, target{kind: kindDiscovery}, true
	}
	for _, root := range s.cfg.Roots {
		if rest, ok := strings.CutPrefix(path, root.Path); ok {
			t, ok := routeBelow(strings.Split(strings.TrimSuffix(rest, "/"), "/"))
			return root, t, ok
		}
	}
	return Root{}, target{}, false
}

// routeBelow reads the segments of a path below an API root.
func routeBelow(parts []string) (target, bool) {
	for i, part := range parts {
		if part == "" && (i > 0 || len(parts) > 1) {
			return target{}, false
		}
	}
	var t target
	switch n := len(parts); {
	case n == 1 && parts[0] == "":
		t.kind = kindRoot
	case n == 2 && parts[0] == "status":
		t.kind, t.status = kindStatus, parts[1]
	case parts[0] != "collections" || n > 5:
		return t, false
	case n == 1:
		t.kind = kindCollections
	default:
		t.collection = parts[1]
		return routeCollection(t, parts[2:])
	}
	return t, true
}

func routeCollection(t target, parts []string) (target, bool) {
	switch {
	case len(parts) == 0:
		t.kind = kindCollection
	case len(parts) == 1 && parts[0] == "manifest":
		t.kind = kindManifest
	case parts[0] != "objects":
		return t, false
	case len(parts) == 1:
		t.kind = kindObjects
	case len(parts) == 2:
		t.kind, t.object = kindObject, parts[1]
	case len(parts) == 3 && parts[2] == "versions":
		t.kind, t.object = kindVersions, parts[1]
	default:
		return t, false
	}
	return t, true
}
