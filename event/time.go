package event

import "time"

// Time returns when the record says it happened, in UTC, and false when it
// does not say or not fully: an RFC 3164 line has no year (see [Event.TimeNear]).
func (e *Event) Time() (time.Time, bool) {
	s, ok := e.stamp()
	return s.when.UTC(), ok && !s.yearless
}

// TimeNear is Time, and for a record whose time has neither year nor zone the
// latest such moment in received's zone that is not more than a day after
// received.
func (e *Event) TimeNear(received time.Time) (time.Time, bool) {
	s, ok := e.stamp()
	if !ok || !s.yearless {
		return s.when.UTC(), ok
	}
	w := s.when
	limit := received.AddDate(0, 0, 1)
	for year := limit.Year(); year > limit.Year()-5; year-- {
		t := time.Date(year, w.Month(), w.Day(), w.Hour(), w.Minute(), w.Second(), 0, received.Location())
		if t.Day() == w.Day() && !t.After(limit) { // 29 February needs its year
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}

// stamp is the first of the dialect's time fields that holds a time.
func (e *Event) stamp() (stamp, bool) {
	own, portal := e.dialect.timeFields(), portalTimeFields()
	if s, ok := e.firstStamp(own[:]); ok {
		return s, true
	}
	return e.firstStamp(portal[:])
}

func (e *Event) firstStamp(names []string) (stamp, bool) {
	for _, name := range names {
		v, ok := e.timeValue(name)
		if !ok {
			continue
		}
		if s, ok := parseTime(v.Text()); ok {
			return s, true
		}
	}
	return stamp{}, false
}

func (e *Event) timeValue(name string) (Value, bool) {
	if name == "" {
		return Value{}, false
	}
	v, ok := e.Field(name)
	return v, ok && (v.Kind() == String || v.Kind() == Number)
}

// portalTimeFields are what Azure's portal heads the times of any table with.
func portalTimeFields() [2]string { return [2]string{"TimeGenerated [UTC]", "Timestamp [UTC]"} }

// timeFields names the fields that hold a record's times, the one that says
// when it happened best first; the rest matter when times are shifted. A time
// without a zone is taken as UTC, so fields that are known to be local
// (EventTime of NXLog) come after those that are not.
func (d Dialect) timeFields() [12]string {
	switch d {
	case WindowsFlat, WindowsEVTX, SysmonLinux:
		return [12]string{
			"UtcTime", "TimeCreated_SystemTime", "@timestamp", "TimeGenerated", "EventTime",
			"timestamp", "EventReceivedTime", "TimeCollected", "TimeCreated",
		}
	case Winlogbeat, ECS:
		return [12]string{"@timestamp", "event.created", "event.ingested", "event.start", "event.end", "UtcTime", "timestamp"}
	case Zeek:
		return [12]string{"ts", "_write_ts", "@timestamp"}
	case CloudTrail:
		return [12]string{"eventTime", "@timestamp"}
	case Suricata:
		return [12]string{"timestamp", "@timestamp", "flow.start", "flow.end"}
	case DefenderXDR, ASIM:
		return [12]string{"Timestamp", "TimeGenerated", "EventStartTime"}
	case OCSF:
		return [12]string{"time", "time_dt", "start_time", "metadata.logged_time", "metadata.original_time"}
	case Cloud:
		return [12]string{
			"createdDateTime", "activityDateTime", "CreationTime", "published", "requestReceivedTimestamp",
			"timestamp", "@timestamp", "time", "TimeGenerated", "created_at", "eventTimestamp", "id.time",
		}
	case Osquery, Falco, Tetragon, CrowdStrike, SentinelOne:
		return [12]string{"ContextTimeStamp", "event.time", "time", "unixTime", "timestamp", "@timestamp", "datetime"}
	case Pairs:
		return [12]string{"rt", "end", "start", "devTime", "eventtime", "TimeGenerated", "timestamp", "@timestamp"}
	case Syslog, Auditd, AccessLog, Text:
		return [12]string{
			"timestamp", "EventTime", "time_iso8601", "time_local", "StartUTC", "ts", "start_time", "EdgeStartTimestamp", "time",
			"TimeGenerated", "@timestamp", "__REALTIME_TIMESTAMP",
		}
	default:
		return [12]string{
			"@timestamp", "timestamp", "eventTime", "EventTime", "TimeGenerated", "event_time", "time", "ts",
			"datetime", "date",
		}
	}
}
