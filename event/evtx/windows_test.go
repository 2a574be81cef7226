package evtx

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Writing of flat events, as agents export them, in the way that Windows wrote
// them first: a template for every provider and event, with System's values in
// the order in which Windows has them, another within its last value for the
// event's own, and every value of the type that its text shows.

// exported are the names that agents give what Windows has in System, and those
// of what they add.
var exported = map[string]string{
	"EventID": "", "Version": "", "Level": "", "Task": "", "OpcodeValue": "", "Keywords": "", "EventTime": "",
	"TimeCreated": "", "RecordNumber": "", "ActivityID": "", "ExecutionProcessID": "", "ThreadID": "", "Channel": "",
	"Hostname": "", "UserID": "", "SourceName": "", "ProviderGuid": "",
	"Message": "added", "Category": "added", "Opcode": "added", "Severity": "added", "SeverityValue": "added",
	"EventReceivedTime": "added", "SourceModuleName": "added", "SourceModuleType": "added", "@timestamp": "added",
	"@version": "added", "host": "added", "port": "added", "tags": "added", "Domain": "added", "AccountType": "added",
	"ERROR_EVT_UNRESOLVED": "added",
}

// Original returns of a flat event what Windows has written.
func Original(flat map[string]any) map[string]any {
	out := map[string]any{}
	for name, v := range flat {
		if exported[name] != "added" && v != nil {
			out[name] = v
		}
	}
	if flat["UserID"] != nil {
		delete(out, "AccountName") // looked up
	}
	switch original := out["EventTypeOrignal"]; {
	case original != nil && flat["SourceModuleType"] != nil && flat["EventTypeOrignal"] != "INFO":
		out["EventType"] = original // which the agent's own stands for
	case flat["SourceModuleType"] != nil && original == nil:
		delete(out, "EventType")
	}
	delete(out, "EventTypeOrignal")
	return out
}

// Log returns a log of flat events, each as Original returns it. Every chunk has
// its own templates and names.
func Log(flats []map[string]any) []byte {
	var chunks [][]byte
	w := newChunk()
	for i, flat := range flats {
		before := *w
		w.record(uint64(i+1), windowsEvent(flat, i+1))
		if len(w.buf) > chunkSize {
			*w = before
			chunks = append(chunks, w.chunk())
			w = newChunk()
			w.record(uint64(i+1), windowsEvent(flat, i+1))
		}
	}
	return file(append(chunks, w.chunk())...)
}

// Values of System, by their places in Windows' templates ([MS-EVEN6] section
// 4.8 has an example).
const (
	levelValue = iota
	opcodeValue
	taskValue
	idValue
	qualifiersValue
	keywordsValue
	timeValue
	activityValue
	processValue
	threadValue
	recordValue
	versionValue
	userValue
	relatedValue = 18
	dataValue    = 19
	systemValues = 20
)

func windowsEvent(flat map[string]any, number int) xml {
	word := func(name string) string { s, _ := flat[name].(string); return s }
	values := make([]val, systemValues)
	put := func(at int, name string, kind byte, size int) {
		if n, ok := number64(flat[name]); ok {
			values[at] = integerOf(kind, n, size)
		}
	}
	put(levelValue, "Level", typeUint8, 1)
	put(opcodeValue, "OpcodeValue", typeUint8, 1)
	put(taskValue, "Task", typeUint16, 2)
	put(idValue, "EventID", typeUint16, 2)
	put(keywordsValue, "Keywords", typeHex64, 8)
	put(processValue, "ExecutionProcessID", typeUint32, 4)
	put(threadValue, "ThreadID", typeUint32, 4)
	put(versionValue, "Version", typeUint8, 1)
	values[recordValue] = integerOf(typeUint64, uint64(number), 8)
	values[timeValue] = integerOf(typeFileTime, fileTime(time.Unix(1735787045, 0)), 8)
	if id := word("ActivityID"); id != "" {
		values[activityValue] = ofText(id)
	}
	if id := word("UserID"); id != "" {
		values[userValue] = ofText(id)
	}
	name := fmt.Sprint(word("SourceName"), flat["EventID"], word("Channel"), word("Hostname"), word("ProviderGuid"))
	values[dataValue] = val{kind: typeBinXML, nested: fragmentOf{windowsData(name, flat)}}
	return fragmentOf{inst{template: name, body: windowsTemplate(word), values: values}}
}

func windowsTemplate(word func(string) string) xml {
	value := func(at int, kind byte) xml { return typed{tokenOptional, at, kind} }
	part := func(name string, at int, kind byte) xml {
		return dependent{el{name, nil, []xml{value(at, kind)}}, at}
	}
	provider := []attr{{"Name", []xml{text(word("SourceName"))}}}
	if id := word("ProviderGuid"); id != "" {
		provider = append(provider, attr{"Guid", []xml{text(id)}})
	}
	return dependent{el{"Event", []attr{{"xmlns", []xml{text("http://schemas.microsoft.com/win/2004/08/events/event")}}}, []xml{
		el{"System", nil, []xml{
			el{"Provider", provider, nil},
			dependent{el{"EventID", []attr{{"Qualifiers", []xml{value(qualifiersValue, typeUint16)}}}, []xml{value(idValue, typeUint16)}}, idValue},
			part("Version", versionValue, typeUint8),
			part("Level", levelValue, typeUint8),
			part("Task", taskValue, typeUint16),
			part("Opcode", opcodeValue, typeUint8),
			part("Keywords", keywordsValue, typeHex64),
			el{"TimeCreated", []attr{{"SystemTime", []xml{value(timeValue, typeFileTime)}}}, nil},
			part("EventRecordID", recordValue, typeUint64),
			el{"Correlation", []attr{{"ActivityID", []xml{value(activityValue, typeGUID)}}, {"RelatedActivityID", []xml{value(relatedValue, typeGUID)}}}, nil},
			el{"Execution", []attr{{"ProcessID", []xml{value(processValue, typeUint32)}}, {"ThreadID", []xml{value(threadValue, typeUint32)}}}, nil},
			el{"Channel", nil, []xml{text(word("Channel"))}},
			el{"Computer", nil, []xml{text(word("Hostname"))}},
			el{"Security", []attr{{"UserID", []xml{value(userValue, typeSID)}}}, nil},
		}},
		value(dataValue, typeBinXML),
	}}, dataValue}
}

// windowsData is the event's own data, in a template for the names it has.
func windowsData(event string, flat map[string]any) xml {
	data := inst{template: event + " data"}
	var list []xml
	for _, name := range slices.Sorted(maps.Keys(flat)) {
		s, ok := flat[name].(string)
		if _, other := exported[name]; !ok || other {
			continue
		}
		v := ofText(s)
		kind := v.kind
		switch {
		case kind == typeHex64 && len(s) < 10:
			kind = typeSize // of which the values are hexadecimal integers (libevtx, Normal substitution)
		case s == "":
			v = val{} // Windows knows no text of no length
		}
		list = append(list, named(name, typed{tokenOptional, len(data.values), kind}))
		data.values = append(data.values, v)
		data.template += "," + name
	}
	data.body = el{"EventData", nil, list}
	return data
}

func number64(v any) (uint64, bool) {
	switch v := v.(type) {
	case interface{ Int64() (int64, error) }: // a number of JSON
		n, err := v.Int64()
		return uint64(n), err == nil
	case string:
		n, err := strconv.ParseUint(v, 0, 64)
		return n, err == nil
	}
	return 0, false
}

var (
	guidText = regexp.MustCompile(`^\{[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\}$`)
	sidText  = regexp.MustCompile(`^S-1-[0-9]{1,2}(-(0|[1-9][0-9]{0,8})){1,15}$`)
	hexText  = regexp.MustCompile(`^0x(0|[1-9a-f][0-9a-f]{0,15})$`)
	intText  = regexp.MustCompile(`^(0|-?[1-9][0-9]{0,17})$`)
)

// ofText is a value of the type whose text this is.
func ofText(s string) val {
	switch {
	case guidText.MatchString(s):
		b, _ := hex.DecodeString(strings.NewReplacer("{", "", "}", "", "-", "").Replace(s))
		slices.Reverse(b[:4])
		slices.Reverse(b[4:6])
		slices.Reverse(b[6:8])
		return val{kind: typeGUID, data: b}
	case sidText.MatchString(s):
		return val{kind: typeSID, data: sidOf(s)}
	case hexText.MatchString(s):
		n, _ := strconv.ParseUint(s, 0, 64)
		if n < 1<<32 && n%3 > 0 {
			return integerOf(typeHex32, n, 4)
		}
		return integerOf(typeHex64, n, 8)
	case intText.MatchString(s):
		n, _ := strconv.ParseInt(s, 10, 64)
		switch {
		case n < 0:
			return integerOf(typeInt64, uint64(n), 8)
		case n < 1<<16:
			return integerOf(typeUint16, uint64(n), 2)
		case n < 1<<32:
			return integerOf(typeUint32, uint64(n), 4)
		}
		return integerOf(typeUint64, uint64(n), 8)
	case s == "true":
		return integerOf(typeBool, 1, 4)
	case s == "false":
		return integerOf(typeBool, 0, 4)
	}
	return str(s)
}

func sidOf(s string) []byte {
	parts := strings.Split(s, "-")[2:]
	b := []byte{1, byte(len(parts) - 1), 0, 0, 0, 0, 0, 0}
	authority, _ := strconv.Atoi(parts[0])
	b[7] = byte(authority)
	for _, p := range parts[1:] {
		n, _ := strconv.ParseUint(p, 10, 32)
		b = binary.LittleEndian.AppendUint32(b, uint32(n))
	}
	return b
}
