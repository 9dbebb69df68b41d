"""Records a call, and lets what whoever runs the service asks be asked meanwhile; tells what it has seen as JSON."""

import argparse
import json
import time
import urllib.error
import urllib.request
import uuid

from service import Call, Service, poll

parser = argparse.ArgumentParser()
for option in ("--connection", "--authority", "--reelgraph", "--tone", "--admin", "--token"):
    parser.add_argument(option, required=True)
args = parser.parse_args()

SERVICE = Service(args.connection, args.authority, args.reelgraph, args.tone)
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))
PLAYED, PAUSED = 3.0, 1.5


def admin(method, path, body=None):
    headers = {"Authorization": f"Bearer {args.token}"}
    request = urllib.request.Request(args.admin + path, method=method, headers=headers, data=body)
    try:
        with OPENER.open(request, timeout=60) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def scrape():
    status, text = admin("GET", "/metrics")
    assert status == 200, status
    return text


def own(method, path, body=None, status=200):
    told, _, answer = SERVICE.signed(method, SERVICE.endpoint + path, body=json.dumps(body).encode() if body else b"")
    assert told == status, (path, told, answer)
    return json.loads(answer) if answer else None


def recordings(action, status):
    own("POST" if action else "DELETE", f"/calling/recordings/{recording}{action}", status=status)


told = {"before": scrape()}
call = Call(SERVICE)
START = {"callLocator": {"kind": "serverCallLocator", "serverCallId": call.key}}
START |= {"recordingContentType": "audio", "recordingChannelType": "unmixed", "recordingFormatType": "wav"}
begun = time.monotonic()
recording = own("POST", "/calling/recordings", START)["recordingId"]
time.sleep(PLAYED / 2)
told["running"] = scrape()
_, told["graph"] = admin("GET", f"/recordings/{recording}/graph.dot")
recordings(":pause", 202)
time.sleep(PAUSED)
told["paused"] = scrape()
recordings(":resume", 202)
time.sleep(PLAYED / 2)
# What is refused: a second recording, one of a call that nobody knows, and somebody without a key.
own("POST", "/calling/recordings", START, status=400)
SERVICE.key, key = "MDEyMzQ1Njc4OWFiY2RlZg==", SERVICE.key
own("POST", "/calling/recordings", START, status=401)
SERVICE.key = key
recordings("", 204)
told["stopped"] = time.monotonic() - begun
chunks = poll(lambda: SERVICE.result_of(recording), lambda told: told["recordingStorageInfo"]["recordingChunks"])
told["duration"] = chunks["recordingDurationMs"]
status, headers, content = SERVICE.signed("GET", chunks["recordingStorageInfo"]["recordingChunks"][0]["contentLocation"])
assert status == 200, status
told["size"] = len(content)
told["gone"], _ = admin("GET", f"/recordings/{recording}/graph.dot")
told["unknown"], _ = admin("GET", f"/recordings/{uuid.uuid4()}/graph.dot")
call.end()
# Ports are closed a while after somebody has left.
time.sleep(3)
told["after"] = scrape()
status, _, _ = SERVICE.signed("DELETE", chunks["recordingStorageInfo"]["recordingChunks"][0]["deleteLocation"])
assert status in (200, 204), status
told["recording"] = recording
print(json.dumps(told))
