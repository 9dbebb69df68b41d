"""A call as a service's own clients see it, who do not have ACS's: named, offered by SDP, recorded by a graph of whoever
runs the service and by a rule, found again, within limits."""

import argparse
import json
import subprocess
import time
import urllib.error
import urllib.parse
import uuid
from pathlib import Path

from service import Service, poll

parser = argparse.ArgumentParser()
for option in ("--connection", "--authority", "--reelgraph", "--tone", "--out"):
    parser.add_argument(option, required=True)
args = parser.parse_args()

SERVICE = Service(args.connection, args.authority, args.reelgraph, args.tone)
# The tone is 3 000 of 32 768 from its middle to its top, and a sine.
TONE_DBFS = -23.8
OFFER = """v=0\r
o=phone 1 1 IN IP4 192.0.2.1\r
s=-\r
c=IN IP4 192.0.2.1\r
t=0 0\r
m=video 5000 RTP/AVP 97\r
a=rtpmap:97 H264/90000\r
m=audio 4000 RTP/AVP 101 111 0\r
a=rtpmap:101 telephone-event/8000\r
a=rtpmap:111 opus/48000/2\r
a=sendrecv\r
"""


def own(method, path, body=None):
    return SERVICE.own(method, f"/api/v1/{path}", body)


def between(*asked):
    """Does something; returns what came of it, and between when it took effect, in ms."""
    before = time.monotonic() * 1_000
    told = own(*asked)
    return told, before, time.monotonic() * 1_000


def refused(method, path, body=None):
    """The status that an operation is refused with."""
    try:
        own(method, path, body)
    except urllib.error.HTTPError as error:
        told = json.loads(error.read())
        assert told["error"]["code"], told
        return error.code
    raise AssertionError((method, path, "is not refused"))


def send(rtp, codec):
    command = [args.reelgraph, "send", args.tone, "--loop", "--to", f"rtp://{rtp}", "--codec", codec]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def found(**filters):
    return own("GET", f"recordings?{urllib.parse.urlencode(filters)}")["recordings"]


def offered(call):
    """Somebody whose phone makes an offer."""
    ada = own("POST", f"calls/{call}/participants", {"participantId": "8:acs:ada", "sdp": OFFER})
    port = ada["rtp"].rsplit(":", 1)[1]
    lines = ada["sdp"].split("\r\n")
    assert "m=video 0 RTP/AVP 97" in lines and f"m=audio {port} RTP/AVP 111 101" in lines, lines
    assert "c=IN IP4 127.0.0.1" in lines and "a=recvonly" in lines and "a=rtpmap:111 opus/48000/2" in lines, lines
    for sdp in ("v=0", OFFER.replace("sendrecv", "inactive"), OFFER.replace("RTP/AVP", "RTP/SAVP")):
        assert refused("POST", f"calls/{call}/participants", {"participantId": "x", "sdp": sdp}) == 400
    assert refused("POST", f"calls/{call}/participants", {"participantId": "x", "sdp": OFFER, "track": "codec=pcmu"}) == 400
    return ada["rtp"]


def story():
    key = f"sales-{uuid.uuid4()}"
    begun, *auto_from = between("POST", "calls", {"callKey": key})
    call = begun["id"]
    rtp = offered(call)
    path = f"calls/{call}/participants/8:acs:ada"
    assert own("PATCH", path, {"displayName": "Ada L."})["displayName"] == "Ada L."
    assert [who["displayName"] for who in own("GET", f"calls/{call}")["participants"]] == ["Ada L."]
    assert "displayName" not in own("PATCH", path, {"displayName": ""})
    assert refused("PATCH", f"calls/{call}/participants/nobody", {"displayName": "x"}) == 404

    # By the rule, before anybody asked for anything.
    [auto] = found(callKey=key)
    assert (auto["graph"], auto["tags"], auto["state"]) == ("mixed-wav", ["by-rule"], "recording"), auto
    sender = send(rtp, "opus")
    new = {"graph": "lossless", "tags": ["mine", "second"], "maxPause": "1s", "atMaxPause": "stop"}
    mine, *mine_from = between("POST", f"calls/{call}/recordings", new)
    for wrong in ({"graph": "none"}, {"maxPause": "1"}, {"tags": [""]}, {"maxDuration": "9999h"}, {"color": "red"}):
        assert refused("POST", f"calls/{call}/recordings", {"graph": "mixed-wav"} | wrong) == 400, wrong
    levels = poll(lambda: own("GET", f"calls/{call}/levels"), bool)
    poll(lambda: own("GET", f"calls/{call}/levels"), lambda told: abs(told[0]["dbfs"] - TONE_DBFS) < 1)
    assert [level["participantId"] for level in levels] == ["8:acs:ada"], levels

    # Nobody goes on with it: its pause is too long, and it ends. The other is not paused.
    mine_path = "recordings/" + urllib.parse.quote(mine["id"], safe="")
    _, *mine_to = between("POST", f"{mine_path}/pause")
    assert own("GET", mine_path)["state"] == "paused"
    over = poll(lambda: own("GET", mine_path), lambda told: told["state"] == "ended")
    assert over["end"]["reason"] == "pause-limit" and not over["end"]["failed"], over
    assert over["participants"] == ["8:acs:ada"] and over["callKey"] == key, over
    assert own("GET", f"calls/{call}")["recordings"] == [auto["id"]]

    ids = lambda recordings: [recording["id"] for recording in recordings]
    both = [auto["id"], mine["id"]]
    assert ids(found(participantId="8:acs:ada")) == both
    assert (ids(found(tag="mine")), ids(found(tag="by-rule"))) == ([mine["id"]], [auto["id"]])
    assert ids(found(callKey=key, to=mine["startedAt"])) == [auto["id"]]
    assert ids(found(callKey=key, **{"from": mine["startedAt"]})) == [mine["id"]]
    assert found(participantId="nobody") == []
    page = own("GET", f"recordings?callKey={key}&limit=1")
    assert page["next"] == auto["id"] and ids(page["recordings"]) == [auto["id"]], page
    rest = own("GET", f"recordings?callKey={key}&after={urllib.parse.quote(page['next'], safe='')}")
    assert ids(rest["recordings"]) == [mine["id"]] and "next" not in rest, rest
    assert refused("GET", "recordings?limit=0") == refused("GET", "recordings?color=red") == 400

    # When nobody is there any more the call ends, and what records it.
    _, *left_at = between("DELETE", path)
    sender.kill()
    sender.wait()
    left = lambda: own("GET", "recordings/" + urllib.parse.quote(auto["id"], safe=""))
    over_too = poll(left, lambda told: told["state"] == "ended")
    assert over_too["end"]["reason"] == "no-participants", over_too
    assert refused("GET", f"calls/{call}") == 404
    # The call goes on for empty-timeout, to the second at which it is looked at.
    auto_to = [left_at[0] + 1_000, left_at[1] + 3_000]
    files = []
    for recording, start, stop in ((over, mine_from, mine_to), (over_too, auto_from, auto_to)):
        [chunk] = recording["chunks"]
        status, _, content = SERVICE.signed("GET", chunk["contentLocation"])
        assert status == 200 and len(content) == chunk["bytes"], (status, chunk)
        Path(args.out, f"call.{chunk['format']}").write_bytes(content)
        files.append([chunk["format"], chunk["durationMs"], stop[0] - start[1], stop[1] - start[0]])
    print(json.dumps(files))


story()
