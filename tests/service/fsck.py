"""Recordings of two resources, before and after their catalog is lost: `calls` makes calls, `start` records some of them,
`stop` ends two recordings and keeps what is known of them, `compare` looks that it is known again, and deletes it."""

import argparse
import hashlib
import json
from datetime import datetime
from pathlib import Path

from service import Service, poll

parser = argparse.ArgumentParser()
parser.add_argument("what", choices=["calls", "start", "stop", "compare"])
for option in ("--connection", "--other", "--authority", "--kept"):
    parser.add_argument(option, required=True)
parser.add_argument("--names", nargs="*")
args = parser.parse_args()

MINE, OTHER = (Service(connection, args.authority, None, None) for connection in (args.connection, args.other))
KEPT = Path(args.kept)
# Whose it is, and how it is recorded.
CALLS = {"mixed": (MINE, "mixed"), "unmixed": (OTHER, "unmixed"), "killed": (MINE, "mixed")}
# A file is announced a moment after it is stored.
MOMENT = 5


def recordings(service):
    return f"{service.endpoint}/calling/recordings"


def calls():
    told = []
    for name, (service, _) in CALLS.items():
        call = service.own("POST", "/api/v1/calls", {"callKey": name})["id"]
        body = {"participantId": f"8:acs:{name}", "track": "codec=pcmu"}
        rtp = service.own("POST", f"/api/v1/calls/{call}/participants", body)["rtp"]
        told.append(int(rtp.rsplit(":", 1)[1]))
    KEPT.write_text("{}")
    print(json.dumps(told))


def start():
    kept = json.loads(KEPT.read_text())
    for name in args.names:
        service, channels = CALLS[name]
        body = {"callLocator": {"serverCallId": name, "kind": "serverCallLocator"}, "recordingFormatType": "wav"}
        body = json.dumps(body | {"recordingChannelType": channels}).encode()
        status, _, told = service.signed("POST", recordings(service), {"Content-Type": "application/json"}, body)
        assert status == 200, (status, told)
        kept[name] = {"recording": json.loads(told)["recordingId"]}
    KEPT.write_text(json.dumps(kept))


def chunks(result):
    return result["recordingStorageInfo"]["recordingChunks"]


def load(service, url):
    status, _, whole = service.signed("GET", url)
    assert status == 200, (url, status, whole)
    return hashlib.sha256(whole).hexdigest()


def files(service, result):
    return [[load(service, chunk[what]) for what in ("contentLocation", "metadataLocation")] for chunk in chunks(result)]


def stop():
    kept = json.loads(KEPT.read_text())
    for name in args.names:
        service, one = CALLS[name][0], kept[name]
        status, _, told = service.signed("DELETE", f"{recordings(service)}/{one['recording']}")
        assert status == 204, (status, told)
        one["result"] = poll(lambda: service.result_of(one["recording"]), chunks)
        one["files"] = files(service, one["result"])
        assert one["result"]["sessionEndReason"] == "InitiatorLeft", one
    KEPT.write_text(json.dumps(kept))
    print(json.dumps([chunk["documentId"] for name in args.names for chunk in chunks(kept[name]["result"])]))


def instant(time):
    return datetime.fromisoformat(time[:19]).timestamp()


def compare():
    for name, one in json.loads(KEPT.read_text()).items():
        service = CALLS[name][0]
        stranger = OTHER if service is MINE else MINE
        result = poll(lambda: service.result_of(one["recording"]), chunks)
        documents = files(service, result)
        if name == "killed":
            assert (len(documents), result["sessionEndReason"]) == (1, "ProcessingTimeout"), result
            assert 500 < result["recordingDurationMs"], result
        else:
            before = one["result"]
            for time in ("recordingStartTime", "recordingExpirationTime"):
                # Addresses are those of the service that runs.
                was, now = instant(before.pop(time)), instant(result.pop(time))
                assert was - MOMENT <= now <= was + 1, (time, was, now)
            shown = lambda of: [(chunk["documentId"], chunk["index"], chunk["endReason"]) for chunk in chunks(of)]
            assert shown(before) == shown(result), (before, result)
            of = lambda result: {name: it for name, it in result.items() if name != "recordingStorageInfo"}
            assert of(before) == of(result), (before, result)
            assert one["files"] == documents, (name, one, documents)
        for url in [f"{recordings(service)}/{one['recording']}/result", chunks(result)[0]["contentLocation"]]:
            assert stranger.signed("GET", url)[0] == 404, url
        for chunk in chunks(result):
            status, _, told = service.signed("DELETE", chunk["deleteLocation"])
            assert status == 200, (status, told)


{"calls": calls, "start": start, "stop": stop, "compare": compare}[args.what]()
