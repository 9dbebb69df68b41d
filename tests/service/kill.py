"""Calls that are recorded while the service is killed again and again: `calls` makes them, `start` records them, `pause`
and `resume` change the first of them, `end` ends all recordings and loads what they are made of."""

import argparse
import hashlib
import json
import uuid
from email.utils import formatdate
from pathlib import Path

from service import Service, poll

parser = argparse.ArgumentParser()
parser.add_argument("what", choices=["calls", "start", "pause", "resume", "end"])
for option in ("--connection", "--authority", "--kept"):
    parser.add_argument(option, required=True)
parser.add_argument("--count", type=int)
parser.add_argument("--out", type=Path)
args = parser.parse_args()

SERVICE = Service(args.connection, args.authority, None, None)
RECORDINGS = f"{SERVICE.endpoint}/calling/recordings"
KEPT = Path(args.kept)
CHANNELS = {"recordingChannelType": "mixed"}, {"recordingChannelType": "unmixed"}


def calls():
    """Makes calls of one party each; tells where they are heard."""
    told = []
    for index in range(args.count):
        key = f"call-{index}"
        call = SERVICE.own("POST", "/api/v1/calls", {"callKey": key})["id"]
        body = {"participantId": f"8:acs:{index}", "track": "codec=pcmu"}
        rtp = SERVICE.own("POST", f"/api/v1/calls/{call}/participants", body)["rtp"]
        told.append({"key": key, "port": int(rtp.rsplit(":", 1)[1])})
    KEPT.write_text(json.dumps(told))
    print(json.dumps([call["port"] for call in told]))


def started(call):
    """Starts the recording of a call, or asks for the one that was started."""
    status, headers, told = SERVICE.signed("POST", RECORDINGS, call["headers"], call["body"].encode())
    assert (status, headers["repeatability-result"]) == (200, "accepted"), (status, told)
    return json.loads(told)["recordingId"]


def start():
    kept = json.loads(KEPT.read_text())
    for index, call in enumerate(kept):
        locator = {"serverCallId": call["key"], "kind": "serverCallLocator"}
        call["body"] = json.dumps({"callLocator": locator, "recordingFormatType": "wav"} | CHANNELS[index % 2])
        repeat = {"Repeatability-Request-ID": str(uuid.uuid4()), "Repeatability-First-Sent": formatdate(usegmt=True)}
        call["headers"] = {**repeat, "Content-Type": "application/json"}
        call["recording"] = started(call)
    KEPT.write_text(json.dumps(kept))


def change(what):
    (first, *_) = json.loads(KEPT.read_text())
    status, _, told = SERVICE.signed("POST", f"{RECORDINGS}/{first['recording']}:{what}")
    assert status == 202, (status, told)


def load(url, path):
    status, headers, whole = SERVICE.signed("GET", url)
    assert status == 200, (status, whole)
    path.write_bytes(whole)
    # Of content it is told what it is.
    tag = headers.get("etag")
    assert tag in (None, f'"{hashlib.sha256(whole).hexdigest()}"'), (url, tag, len(whole), headers, whole[:100])
    return tag


def end():
    kept = json.loads(KEPT.read_text())
    # A request of before all kills is not done again.
    for call in kept:
        assert started(call) == call["recording"]
        status, _, told = SERVICE.signed("DELETE", f"{RECORDINGS}/{call['recording']}")
        assert status == 204, (status, told)
    told = []
    for call in kept:
        chunks = lambda result: result["recordingStorageInfo"]["recordingChunks"]
        result = poll(lambda: SERVICE.result_of(call["recording"]), chunks)
        loaded = []
        for chunk in chunks(result):
            name = f"{call['key']}-{chunk['index']:03}"
            assert load(chunk["contentLocation"], args.out / f"{name}.wav"), chunk
            load(chunk["metadataLocation"], args.out / f"{name}.json")
            loaded.append(name)
        told.append({"reason": result["sessionEndReason"], "recording": call["recording"], "chunks": loaded})
    print(json.dumps(told))


{"calls": calls, "start": start, "end": end}.get(args.what, lambda: change(args.what))()
