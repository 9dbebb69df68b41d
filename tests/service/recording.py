"""Starts a recording of a call in which nobody speaks, and leaves it."""

import argparse
import json

from service import Service

parser = argparse.ArgumentParser()
for option in ("--connection", "--authority", "--reelgraph", "--tone"):
    parser.add_argument(option, required=True)
args = parser.parse_args()

SERVICE = Service(args.connection, args.authority, args.reelgraph, args.tone)
SERVICE.own("POST", "/api/v1/calls", {"callKey": "quiet"})
START = {"callLocator": {"kind": "serverCallLocator", "serverCallId": "quiet"}}
START |= {"recordingContentType": "audio", "recordingChannelType": "mixed", "recordingFormatType": "wav"}
status, _, answer = SERVICE.signed("POST", f"{SERVICE.endpoint}/calling/recordings", body=json.dumps(START).encode())
assert status == 200, (status, answer)
