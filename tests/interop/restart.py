"""What of a recording is still there when the service was killed: `keep` records, and `find` looks behind the kill."""

import argparse
import hashlib
import json
import time
import uuid
from email.utils import formatdate
from pathlib import Path

from service import Call, Service, poll

parser = argparse.ArgumentParser()
parser.add_argument("what", choices=["keep", "find"])
for option in ("--connection", "--authority", "--reelgraph", "--tone", "--kept"):
    parser.add_argument(option, required=True)
args = parser.parse_args()

SERVICE = Service(args.connection, args.authority, args.reelgraph, args.tone)
KEPT = Path(args.kept)


def start(kept):
    """Starts what may have been started before; returns the recording's id."""
    url = f"{SERVICE.endpoint}/calling/recordings?api-version=2026-03-12"
    status, headers, told = SERVICE.signed("POST", url, kept["headers"], kept["body"].encode())
    assert (status, headers["repeatability-result"]) == (200, "accepted"), (status, told)
    return json.loads(told)["recordingId"]


def stored(recording):
    """What is told of the recording, and its chunk."""
    chunks = lambda result: result["recordingStorageInfo"]["recordingChunks"]
    result = poll(lambda: SERVICE.result_of(recording), chunks)
    (chunk,) = chunks(result)
    return result, chunk


def load(chunk):
    status, _, whole = SERVICE.signed("GET", chunk["contentLocation"])
    assert status == 200, (status, whole)
    return hashlib.sha256(whole).hexdigest(), len(whole)


def keep():
    """Records, and leaves what came of it where it is."""
    call = Call(SERVICE)
    body = json.dumps({"callLocator": {"serverCallId": call.key, "kind": "serverCallLocator"}})
    repeat = {"Repeatability-Request-ID": str(uuid.uuid4()), "Repeatability-First-Sent": formatdate(usegmt=True)}
    kept = {"headers": {**repeat, "Content-Type": "application/json"}, "body": body}
    recording = start(kept)
    time.sleep(1)
    assert SERVICE.signed("DELETE", f"{SERVICE.endpoint}/calling/recordings/{recording}")[0] == 204
    file = load(stored(recording)[1])
    call.end()
    assert file[1] > 4_000, file
    KEPT.write_text(json.dumps(kept | {"recording": recording, "file": file}))


def find():
    """What was recorded before the service was killed is there, and a request of that time is not done again."""
    kept = json.loads(KEPT.read_text())
    assert start(kept) == kept["recording"]
    result, chunk = stored(kept["recording"])
    assert result["sessionEndReason"] == "InitiatorLeft", result
    assert list(load(chunk)) == kept["file"]
    assert SERVICE.signed("DELETE", chunk["deleteLocation"])[0] == 200
    assert SERVICE.signed("GET", chunk["contentLocation"])[0] == 404


keep() if args.what == "keep" else find()
