"""Records a call while ten thousand clients are slow or idle, and asks for something meanwhile; tells how that went."""

import argparse
import json
import os
import resource
import socket
import time
from pathlib import Path
from urllib.parse import urlsplit

from service import Call, Service, poll

parser = argparse.ArgumentParser()
for option in ("--connection", "--authority", "--reelgraph", "--tone", "--http", "--out", "--pid", "--count"):
    parser.add_argument(option, required=True)
args = parser.parse_args()

SERVICE = Service(args.connection, args.authority, args.reelgraph, args.tone)
N = int(args.count)
ADDRESSES = [("127.0.0.1", urlsplit(url).port) for url in (args.http, SERVICE.endpoint)]
# What they say at first, by where they are: nothing, not enough, and something that is never gone on with.
SAID = [
    [b"", b"GET /healthz HTTP/1.1\r\nHost: a\r\nX: ", b"POST /api/v1/calls HTTP/1.1\r\nHost: a\r\nContent-Length: 99\r\n\r\n{"],
    [b"", b"\x16", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"],
]

soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def descriptors():
    return len(os.listdir(f"/proc/{args.pid}/fd"))


def megabytes():
    status = Path(f"/proc/{args.pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def timed(latencies, recording):
    """Asks by a connection of its own, as a client would."""
    begin = time.monotonic()
    status, _, told = SERVICE.signed("GET", f"{SERVICE.endpoint}/calling/recordings/{recording}")
    assert status == 200, (status, told)
    latencies.append(time.monotonic() - begin)


def main():
    call = Call(SERVICE)
    time.sleep(0.5)
    locator = {"callLocator": {"serverCallId": call.key, "kind": "serverCallLocator"}}
    body = {**locator, "recordingChannelType": "unmixed", "recordingFormatType": "wav"}
    headers = {"Content-Type": "application/json"}
    url = f"{SERVICE.endpoint}/calling/recordings"
    status, _, told = SERVICE.signed("POST", url, headers, json.dumps(body).encode())
    assert status == 200, (status, told)
    recording = json.loads(told)["recordingId"]
    time.sleep(0.5)
    before = {"descriptors": descriptors(), "megabytes": megabytes()}

    crowd, latencies, most = [], [], 0
    for index in range(N):
        where = index % 2
        client = socket.create_connection(ADDRESSES[where], timeout=20)
        client.setblocking(False)
        said = SAID[where][index // 2 % 3]
        try:
            client.send(said)
        except OSError:
            # It had to make room already.
            pass
        crowd.append((client, said))
        if index % 500 == 0:
            timed(latencies, recording)
            most = max(most, descriptors())
    for _ in range(20):
        # A byte at a time, so that nobody takes them for gone.
        for client, said in crowd:
            if said:
                try:
                    client.send(b"a")
                except OSError:
                    pass
        timed(latencies, recording)
        most = max(most, descriptors())
        time.sleep(0.05)
    after = {"descriptors": most, "megabytes": megabytes()}

    assert SERVICE.signed("DELETE", f"{url}/{recording}")[0] == 204
    chunks = lambda result: result["recordingStorageInfo"]["recordingChunks"]
    (chunk,) = chunks(poll(lambda: SERVICE.result_of(recording), chunks))
    status, _, whole = SERVICE.signed("GET", chunk["contentLocation"])
    assert status == 200, status
    Path(args.out).write_bytes(whole)
    assert SERVICE.signed("DELETE", chunk["deleteLocation"])[0] == 200
    call.end()
    for client, _ in crowd:
        client.close()
    poll(descriptors, lambda n: n <= before["descriptors"])
    print(json.dumps({"before": before, "after": after, "latencies": latencies}))


main()
