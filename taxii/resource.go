package taxii

import (
	"encoding/json"
	"time"

	"github.com/aspis-platform/aspis/stix"
)

// Media types (TAXII 2.1, section 1.6.8; STIX 2.1, section 10.2).
const (
	MediaType     = "application/taxii+json;version=2.1"
	STIXMediaType = "application/stix+json;version=2.1"
)

// Response headers with the earliest and the latest date_added of the objects in
// the page (section 3.2).
const (
	HeaderFirst = "X-TAXII-Date-Added-First"
	HeaderLast  = "X-TAXII-Date-Added-Last"
)

// DiscoveryPath is where every server answers discovery (section 4.1).
const DiscoveryPath = "/taxii2/"

// Discovery tells about a server (section 4.1.1).
type Discovery struct {
	Title       string   `json:"title"`
	Description string   `json:"description,omitempty"`
	Contact     string   `json:"contact,omitempty"`
	Default     string   `json:"default,omitempty"`
	APIRoots    []string `json:"api_roots,omitempty"` // absolute, or relative to the host
}

// APIRoot tells about one group of collections (section 4.2.1).
type APIRoot struct {
	Title            string   `json:"title"`
	Description      string   `json:"description,omitempty"`
	Versions         []string `json:"versions"`
	MaxContentLength int64    `json:"max_content_length"` // bytes of a request body
}

// Collection is a set of objects that a viewer may read, write or both (section
// 5.2.1).
type Collection struct {
	ID          string   `json:"id"` // a UUID
	Title       string   `json:"title"`
	Description string   `json:"description,omitempty"`
	Alias       string   `json:"alias,omitempty"` // a second, readable id for URLs
	CanRead     bool     `json:"can_read"`
	CanWrite    bool     `json:"can_write"`
	MediaTypes  []string `json:"media_types,omitempty"`
}

// collectionList is the collections resource (section 5.1.1).
type collectionList struct {
	Collections []Collection `json:"collections,omitempty"`
}

// Envelope carries objects (section 3.7). An empty one is "{}".
type Envelope struct {
	More    bool              `json:"more,omitempty"`
	Next    string            `json:"next,omitempty"`
	Objects []json.RawMessage `json:"objects,omitempty"`
}

// ManifestRecord tells about one version of one object (section 5.3.1).
type ManifestRecord struct {
	ID        string `json:"id"`
	DateAdded string `json:"date_added"`
	Version   string `json:"version"`
	MediaType string `json:"media_type,omitempty"`
}

// Manifest is a page of manifest records (section 5.3.1).
type Manifest struct {
	More    bool             `json:"more,omitempty"`
	Next    string           `json:"next,omitempty"`
	Objects []ManifestRecord `json:"objects,omitempty"`
}

// Versions is a page of the versions of one object (section 5.8.1).
type Versions struct {
	More     bool     `json:"more,omitempty"`
	Next     string   `json:"next,omitempty"`
	Versions []string `json:"versions,omitempty"`
}

// Status tells what became of objects that were added (section 4.3.1).
type Status struct {
	ID               string         `json:"id"`
	Status           string         `json:"status"` // "complete" or "pending"
	RequestTimestamp string         `json:"request_timestamp,omitempty"`
	TotalCount       int            `json:"total_count"`
	SuccessCount     int            `json:"success_count"`
	Successes        []StatusDetail `json:"successes,omitempty"`
	FailureCount     int            `json:"failure_count"`
	Failures         []StatusDetail `json:"failures,omitempty"`
	PendingCount     int            `json:"pending_count"`
	Pendings         []StatusDetail `json:"pendings,omitempty"`
}

// StatusDetail tells what became of one object.
type StatusDetail struct {
	ID      string `json:"id"`
	Version string `json:"version"`
	Message string `json:"message,omitempty"`
}

// ErrorMessage is the body of every response from 400 on (section 3.6.1).
type ErrorMessage struct {
	Title       string `json:"title"`
	Description string `json:"description,omitempty"`
	ErrorID     string `json:"error_id,omitempty"`
	ErrorCode   string `json:"error_code,omitempty"`
	HTTPStatus  string `json:"http_status,omitempty"`
}

// FormatTime writes a time as TAXII wants it: UTC with six digits of a second
// (section 2.1, timestamp).
func FormatTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000Z") }

// Object is one version of one object in a collection, as one viewer sees it.
type Object struct {
	ID stix.ID
	// Version is the object's modified time, else its created time, else
	// DateAdded (section 5.3.1).
	Version stix.Timestamp
	// DateAdded is when this version became visible to this viewer, to the
	// microsecond.
	DateAdded time.Time
	// SpecVersion is the STIX version, empty for 2.1.
	SpecVersion string
	// Body is the object. It may be nil where Query.NoBodies is set.
	Body json.RawMessage
}

// ObjectOf describes a STIX object that became visible at dateAdded.
func ObjectOf(o stix.Object, dateAdded time.Time) (Object, error) {
	body, err := o.MarshalJSON()
	if err != nil {
		return Object{}, err
	}
	head := o.Head()
	version := head.Modified
	if version.IsZero() {
		version = head.Created
	}
	if version.IsZero() {
		version = stix.At(dateAdded)
	}
	return Object{ID: head.ID, Version: version, DateAdded: dateAdded, Body: body}, nil
}

func (o Object) specVersion() string {
	if o.SpecVersion == "" {
		return stix.SpecVersion
	}
	return o.SpecVersion
}

func (o Object) record() ManifestRecord {
	return ManifestRecord{
		ID: string(o.ID), DateAdded: FormatTime(o.DateAdded), Version: o.Version.String(),
		MediaType: "application/stix+json;version=" + o.specVersion(),
	}
}
