"""Reads an event log file with libevtx and with python-evtx, and prints what
each makes of every record as a line of JSON: its number and its XML or error."""
import json
import sys

import Evtx.Evtx
import pyevtx


def libevtx(path):
    log = pyevtx.file()
    log.open(path)
    for i in range(log.number_of_records):
        try:
            record = log.get_record(i)
            yield record.identifier, record.xml_string, None
        except Exception as e:
            yield i, None, str(e)


def python_evtx(path):
    with Evtx.Evtx.Evtx(path) as log:
        for record in log.records():
            try:
                yield record.record_num(), record.xml(), None
            except Exception as e:
                yield record.record_num(), None, repr(e)


for name, reader in (("libevtx", libevtx), ("python-evtx", python_evtx)):
    for number, xml, error in reader(sys.argv[1]):
        print(json.dumps({"reader": name, "record": number, "xml": xml, "error": error}))
