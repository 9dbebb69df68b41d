"""A service that is asked to end takes nothing new, and does what is asked of recordings that run."""

import argparse
import json
import os
import signal
import time

from service import Call, Service, poll

parser = argparse.ArgumentParser()
for option in ("--connection", "--authority", "--reelgraph", "--tone", "--pid"):
    parser.add_argument(option, required=True)
args = parser.parse_args()

SERVICE = Service(args.connection, args.authority, args.reelgraph, args.tone)
RECORDINGS = f"{SERVICE.endpoint}/calling/recordings"


def start(key):
    body = json.dumps({"callLocator": {"serverCallId": key, "kind": "serverCallLocator"}}).encode()
    return SERVICE.signed("POST", RECORDINGS, {"Content-Type": "application/json"}, body)


call, other = Call(SERVICE), Call(SERVICE)
status, _, told = start(call.key)
assert status == 200, told
recording = json.loads(told)["recordingId"]
time.sleep(0.5)
os.kill(int(args.pid), signal.SIGTERM)
status, headers, told = poll(lambda: start(other.key), lambda answer: answer[0] == 503)
assert "retry-after" in headers, (status, headers, told)
for method, what, expected in (("POST", ":pause", 202), ("POST", ":resume", 202), ("GET", "", 200)):
    status, _, told = SERVICE.signed(method, f"{RECORDINGS}/{recording}{what}")
    assert status == expected, (what, status, told)
for sender in call.senders + other.senders:
    sender.kill()
running = SERVICE.own("GET", f"/api/v1/calls/{other.id}")["recordings"]
for each in [recording, *running]:
    status, _, told = SERVICE.signed("DELETE", f"{RECORDINGS}/{each}")
    assert status == 204, (status, told)
