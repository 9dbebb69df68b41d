"""Does all that can be done here, some of it in vain, with names that are to be told to nobody; looks what of it the
audit has. `--kept` gets what must not be found in a log."""

import argparse
import json
import time
import uuid
from email.utils import formatdate
from pathlib import Path
from urllib.parse import quote

from service import Call, Service, poll

parser = argparse.ArgumentParser()
for option in ("--connection", "--other", "--keys", "--authority", "--reelgraph", "--tone", "--kept"):
    parser.add_argument(option, required=True)
args = parser.parse_args()

MINE = Service(args.connection, args.authority, args.reelgraph, args.tone)
OTHER = Service(args.other, args.authority, args.reelgraph, args.tone)
PRIMARY, SECONDARY = Path(args.keys).read_text().split()
DONE = []


def ask(method, path, body=None, expected=200, operation=None, result="accepted", key="primary", who=MINE, headers=None):
    """Asks for something that is signed; notes what the audit is to have of it."""
    data = b"" if body is None else json.dumps(body).encode()
    extra = {"Content-Type": "application/json"} | (headers or {})
    url = path if path.startswith("https:") else who.endpoint + path
    status, _, told = who.signed(method, url, extra, data)
    assert status == expected, (method, path, status, told)
    # It may say what was asked for, and nothing else of it.
    assert b"canary" not in told.replace(path.encode(), b"") or status < 300, told
    if operation:
        DONE.append([operation, key, result])
    return told


def audit(who, query=""):
    return json.loads(ask("GET", f"/api/v1/audit{query}", who=who))


def story():
    names = {name: f"canary-{name}-{uuid.uuid4()}" for name in ("callKey", "callConnectionId", "groupCallId", "roomId")}
    party = f"canary-party-{uuid.uuid4()}"
    created = json.loads(ask("POST", "/api/v1/calls", names, 201, "create-call"))
    ask("POST", "/api/v1/calls", names, 409, "create-call", "call-exists")
    call = f"/api/v1/calls/{created['id']}"
    track = {"participantId": party, "track": "codec=pcmu"}
    ask("POST", f"{call}/participants", track, 201, "add-participant")
    ask("POST", f"{call}/participants", track, 409, "add-participant", "participant-exists")
    ask("POST", f"{call}/participants", track | {"track": "codec=none"}, 400)
    ask("PATCH", f"{call}/participants/{party}", {"displayName": f"canary-{uuid.uuid4()}"}, 200, "rename-participant")
    ask("PATCH", f"{call}/participants/canary", {"displayName": "canary"}, 404, "rename-participant", "unknown-participant")
    ask("PATCH", f"{call}/participants/{party}", {"displayName": "canary"}, 404, who=OTHER)
    sdp = {"participantId": party, "sdp": f"v=0\r\no=canary 1 1 IN IP4 0.0.0.0\r\ns=canary-{uuid.uuid4()}\r\n"}
    ask("POST", f"{call}/participants", sdp, 400)
    new = {"graph": "mixed-wav", "tags": [f"canary-{uuid.uuid4()}"], "pauseOnStart": True}
    tagged = json.loads(ask("POST", f"{call}/recordings", new, 201, "start-recording"))["id"]
    ask("POST", f"{call}/recordings", new | {"graph": "none"}, 400, "start-recording", "no-graph")
    ask("GET", f"/api/v1/recordings?tag={new['tags'][0]}")
    tagged_path = f"/api/v1/recordings/{quote(tagged, safe='')}"
    ask("DELETE", tagged_path, None, 204, "stop-recording")
    over = poll(lambda: json.loads(ask("GET", tagged_path)), lambda told: told["state"] == "ended")
    deleted = [chunk["documentId"] for chunk in over["chunks"]]
    for document in deleted:
        ask("DELETE", f"/v1/objects/{document}", None, 200, "delete-document")
    start = {
        "callLocator": {"serverCallId": names["callKey"], "kind": "serverCallLocator"},
        "recordingFormatType": "wav",
        "recordingChannelType": "unmixed",
        "audioChannelParticipantOrdering": [{"kind": "communicationUser", "communicationUser": {"id": party}}],
    }
    recording = json.loads(ask("POST", "/calling/recordings", start, 200, "start-recording"))["recordingId"]
    ask("POST", "/calling/recordings", start, 400, "start-recording", "already-recording")
    ask("POST", "/calling/recordings", start, 404, who=OTHER)
    ask("POST", "/calling/recordings", start | {"recordingFormatType": "none"}, 400)
    MINE.key = SECONDARY
    for what in ("pause", "resume", "resume"):
        ask("POST", f"/calling/recordings/{recording}:{what}", None, 202, f"{what}-recording", key="secondary")
    MINE.key = "AAAA" + SECONDARY[4:]
    ask("POST", f"/calling/recordings/{recording}:pause", None, 401)
    MINE.key = PRIMARY
    ask("GET", f"/calling/recordings/{recording}")
    ask("POST", f"/calling/recordings/{recording}:pause", None, 404, who=OTHER)
    time.sleep(0.5)
    ask("DELETE", f"/calling/recordings/{recording}", None, 204, "stop-recording")
    ask("DELETE", f"/calling/recordings/{recording}", None, 404, "stop-recording", "unknown-recording")
    chunks = lambda result: result["recordingStorageInfo"]["recordingChunks"]
    (chunk,) = chunks(poll(lambda: MINE.result_of(recording), chunks))
    ask("GET", chunk["contentLocation"], None, 200, "read-document")
    assert party.encode() in ask("GET", chunk["metadataLocation"], None, 200, "read-document")
    ask("GET", chunk["contentLocation"], None, 206, "read-document", headers={"Range": "bytes=0-9"})
    for wrong in ("contentLocation", "metadataLocation"):
        ask("GET", chunk[wrong], None, 404, who=OTHER)
    ask("DELETE", chunk["deleteLocation"], None, 404, who=OTHER)
    ask("DELETE", chunk["deleteLocation"], None, 200, "delete-document")
    ask("GET", chunk["contentLocation"], None, 404, "read-document", "unknown-document")
    ask("DELETE", f"{call}/participants/{party}", None, 204, "remove-participant")
    ask("DELETE", f"{call}/participants/{party}", None, 404, "remove-participant", "unknown-participant")
    ask("DELETE", call, None, 204, "end-call")
    ask("DELETE", call, None, 404, "end-call", "unknown-call")
    return names, party, (recording, tagged), created["id"], [*deleted, chunk["documentId"]]


names, party, recordings, call, documents = story()
entries = audit(MINE)["entries"]
assert [[entry[name] for name in ("operation", "key", "result")] for entry in entries] == DONE, (entries, DONE)
objects = {"recording": recordings, "call": [call], "participant": [call], "document": [document.rsplit("-", 1)[1] for document in documents]}
for entry in entries:
    # What did not come to be has no name.
    is_new = entry["operation"].split("-")[0] in ("create", "start") and entry["result"] != "accepted"
    expected = [""] if is_new else objects[entry["operation"].split("-")[1]]
    assert entry.get("object", "") in expected, entry
# By pages, and by time.
first = audit(MINE, "?limit=3")
assert first["entries"] == entries[:3] and first["next"] == entries[2]["id"], first
assert audit(MINE, f"?after={first['next']}&limit=1000")["entries"] == entries[3:]
middle = entries[5]["at"]
assert all(entry["at"] >= middle for entry in audit(MINE, f"?from={middle}")["entries"])
assert all(entry["at"] < middle for entry in audit(MINE, f"?to={middle}")["entries"])
for malformed in ("limit=0", "limit=1001", "from=yesterday", "after=x", "who=me"):
    ask("GET", f"/api/v1/audit?{malformed}", None, 400)
# Another resource has its own: what it was refused, and nothing else.
others = audit(OTHER)["entries"]
assert [[entry["operation"], entry["result"]] for entry in others] == [
    ["rename-participant", "unknown-call"],
    ["start-recording", "unknown-call"],
    ["read-document", "unknown-document"],
    ["read-document", "unknown-document"],
], others
print(json.dumps([entry["result"] for entry in others]))
Path(args.kept).write_text(json.dumps(["canary", PRIMARY, SECONDARY, OTHER.key]))
