"""Records a call by the unmodified SDK, in all the ways that it has, and tells what came of it as one JSON document.

Signs downloads by itself where the SDK refuses their address (1.6.0 takes no address but Microsoft's).
"""

import argparse
import asyncio
import atexit
import base64
import hashlib
import hmac
import importlib.metadata
import inspect
import json
import subprocess
import time
import urllib.error
import urllib.request
import uuid
from email.utils import formatdate
from pathlib import Path
from urllib.parse import urlsplit

from azure.communication import callautomation
from azure.communication.callautomation import aio
from azure.core.credentials import AzureKeyCredential
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError, ResourceNotFoundError

parser = argparse.ArgumentParser()
parser.add_argument("--endpoint", required=True)
parser.add_argument("--keys", required=True, type=Path)
parser.add_argument("--reelgraph", required=True)
parser.add_argument("--out", required=True, type=Path)
parser.add_argument("--kind", choices=["sync", "aio"], required=True)
parser.add_argument("--keep", type=Path, help="only record, and write what came of it to this file")
parser.add_argument("--find", type=Path, help="only look whether what this file tells is still there")
args = parser.parse_args()

KEY = args.keys.read_text().split()[0]
ENDPOINT = args.endpoint.rstrip("/")
VERSION = importlib.metadata.version("azure-communication-callautomation")
DEADLINE = 60


async def got(result):
    """What a call of either half of the SDK gives."""
    return await result if inspect.isawaitable(result) else result


def client(key=KEY, **options):
    half = aio if args.kind == "aio" else callautomation
    return half.CallAutomationClient(ENDPOINT, AzureKeyCredential(key), **options)


def signed(method, url, extra=None, body=b"", date=None, key=KEY, change=lambda request: request):
    """Sends a request that is signed as the contract says, and then changed; returns status, headers, body."""
    parts, date = urlsplit(url), date or formatdate(usegmt=True)
    content = base64.b64encode(hashlib.sha256(body).digest()).decode()
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    text = f"{method}\n{target}\n{date};{parts.netloc};{content}"
    mac = hmac.new(base64.b64decode(key), text.encode(), hashlib.sha256).digest()
    headers = {
        "x-ms-date": date,
        "x-ms-content-sha256": content,
        "Authorization": "HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature="
        + base64.b64encode(mac).decode(),
        **(extra or {}),
    }
    request = urllib.request.Request(url, method=method, headers=headers, data=body or None)
    try:
        with urllib.request.urlopen(change(request), timeout=DEADLINE) as answer:
            return answer.status, dict(answer.headers), answer.read()
    except urllib.error.HTTPError as error:
        return error.code, dict(error.headers), error.read()


def own(method, path, body=None):
    """Asks the service's own API, with a key."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"Authorization": f"Bearer {KEY}"}
    request = urllib.request.Request(ENDPOINT + path, method=method, data=data, headers=headers)
    with urllib.request.urlopen(request, timeout=DEADLINE) as answer:
        body = answer.read()
        return json.loads(body) if body else None


class Call:
    """A call of two parties who send numbered frames."""

    def __init__(self):
        self.key = f"call-{uuid.uuid4()}"
        self.id = own("POST", "/api/v1/calls", {"callKey": self.key})["id"]
        self.senders = []
        for party in ("8:acs:ada", "4:+14255550123"):
            body = {"participantId": party, "track": "codec=pcmu"}
            rtp = own("POST", f"/api/v1/calls/{self.id}/participants", body)["rtp"]
            command = [args.reelgraph, "send", "--serial", "--to", f"rtp://{rtp}", "--codec", "pcmu"]
            sender = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            atexit.register(sender.kill)
            self.senders.append(sender)

    def end(self):
        own("DELETE", f"/api/v1/calls/{self.id}")
        for sender in self.senders:
            sender.kill()
            sender.wait()


def result_of(recording):
    """The stored chunks of a recording, when all is ready."""
    until = time.monotonic() + DEADLINE
    while time.monotonic() < until:
        status, _, body = signed("GET", f"{ENDPOINT}/calling/recordings/{recording}/result")
        assert status == 200, (status, body)
        result = json.loads(body)
        if result["recordingStorageInfo"]["recordingChunks"]:
            return result
        time.sleep(0.05)
    raise TimeoutError("the recording is not ready")


async def refused(kind, status, code, asked):
    """Asserts that the SDK's own exception comes, with status and code."""
    try:
        await got(asked())
    except kind as error:
        assert error.status_code == status, (error.status_code, status)
        told = error.error.code if error.error else None
        assert code is None or told == code, (told, code)
        return
    raise AssertionError(f"{kind} was expected")


async def read(sdk, url, **options):
    """Loads a file by the SDK where it takes the address, else with the same signature."""
    if VERSION < "1.6":
        stream = await got(sdk.download_recording(url, **options))
        data = stream.read()
        return await data if inspect.isawaitable(data) else data
    try:
        await got(sdk.download_recording(url, **options))
        raise AssertionError("1.6.0 takes no address but Microsoft's: the contract has changed")
    except ValueError:
        pass
    first, length = options.get("offset"), options.get("length")
    last = "" if length is None else first + length - 1 if first else ""
    extra = {"Range": f"bytes={first}-{last}"} if first else None
    status, _, body = signed("GET", url, extra)
    assert status == (206 if first else 200), status
    return body


async def record(sdk, name, play=1.5, **options):
    """Records a call as `options` say, with a pause; loads what it made, and deletes it."""
    call = Call()
    time.sleep(0.5)
    started = await got(sdk.start_recording(server_call_id=call.key, **options))
    recording = started.recording_id
    assert started.recording_state == "inactive", started.recording_state

    async def state():
        return (await got(sdk.get_recording_properties(recording))).recording_state

    if options.get("pause_on_start"):
        assert await state() == "inactive"
        time.sleep(0.5)
        await got(sdk.resume_recording(recording))
    assert await state() == "active"
    time.sleep(play)
    await got(sdk.pause_recording(recording))
    await got(sdk.pause_recording(recording))
    assert await state() == "inactive"
    time.sleep(0.7)
    await got(sdk.resume_recording(recording))
    await got(sdk.resume_recording(recording))
    assert await state() == "active"
    await refused(HttpResponseError, 400, "8559", lambda: sdk.start_recording(server_call_id=call.key))
    time.sleep(play)
    await got(sdk.stop_recording(recording))
    for gone in (sdk.get_recording_properties, sdk.stop_recording):
        await refused(ResourceNotFoundError, 404, "8522", lambda: gone(recording))
    result = result_of(recording)
    assert result["sessionEndReason"] == "InitiatorLeft" and result["errors"] == [], result
    (chunk,) = result["recordingStorageInfo"]["recordingChunks"]
    whole = await read(sdk, chunk["contentLocation"])
    part = await read(sdk, chunk["contentLocation"], offset=100, length=50)
    assert part == whole[100:150], (len(part), len(whole))
    rest = await read(sdk, chunk["contentLocation"], offset=len(whole) - 10)
    assert rest == whole[-10:]
    metadata = json.loads(await read(sdk, chunk["metadataLocation"]))
    assert metadata["chunkDocumentId"] == chunk["documentId"], metadata
    path = args.out / f"{name}.{metadata['recordingInfo']['format']}"
    path.write_bytes(whole)
    if VERSION < "1.6":
        await got(sdk.delete_recording(chunk["deleteLocation"]))
    else:
        assert signed("DELETE", chunk["deleteLocation"])[0] == 200
    assert signed("GET", chunk["contentLocation"])[0] == 404
    assert signed("GET", chunk["metadataLocation"])[0] == 404
    call.end()
    return {"name": name, "path": str(path), "metadata": metadata, "result": result}


async def mistakes(sdk):
    """What is refused comes as the SDK's own exceptions."""
    call = Call()
    wrong = client(base64.b64encode(b"another key, as long as those of the service").decode())
    await refused(ClientAuthenticationError, 401, "7509", lambda: wrong.start_recording(server_call_id=call.key))
    await refused(ResourceNotFoundError, 404, "8522", lambda: sdk.start_recording(server_call_id="nobody"))
    await refused(ResourceNotFoundError, 404, "8522", lambda: sdk.pause_recording("nobody"))
    formats = {"recording_channel_type": "unmixed", "recording_format_type": "mp3"}
    await refused(HttpResponseError, 400, "8557", lambda: sdk.start_recording(server_call_id=call.key, **formats))
    await refused(
        HttpResponseError, 400, "8523",
        lambda: sdk.start_recording(server_call_id=call.key, recording_format_type="flac"),
    )
    storage = callautomation.AzureBlobContainerRecordingStorage("https://a.blob.core.windows.net/r")
    await refused(
        HttpResponseError, 405, "8520",
        lambda: sdk.start_recording(server_call_id=call.key, recording_storage=storage),
    )
    call.end()
    if args.kind == "aio":
        await wrong.close()


def again():
    """A request that is made again is done once, and one that was changed on its way is not done at all."""
    call, url = Call(), f"{ENDPOINT}/calling/recordings?api-version=2026-03-12"
    body = json.dumps({"callLocator": {"serverCallId": call.key, "kind": "serverCallLocator"}}).encode()
    repeat = {"Repeatability-Request-ID": str(uuid.uuid4()), "Repeatability-First-Sent": formatdate(usegmt=True)}
    json_body = {**repeat, "Content-Type": "application/json"}
    answers = [signed("POST", url, json_body, body) for _ in range(3)]
    assert len({answer[2] for answer in answers}) == 1, answers
    assert all(answer[1]["repeatability-result"] == "accepted" for answer in answers), answers
    recording = json.loads(answers[0][2])["recordingId"]
    status, headers, told = signed("POST", url, json_body, body + b" ")
    assert (status, headers["repeatability-result"]) == (400, "rejected"), (status, headers, told)
    assert json.loads(told)["error"]["code"] == "8523", told

    def with_header(name, value):
        def change(request):
            request.add_header(name, value)
            return request
        return change

    def with_url(other):
        def change(request):
            request.full_url = other
            return request
        return change

    state = f"{ENDPOINT}/calling/recordings/{recording}"
    assert signed("GET", state)[0] == 200
    late = formatdate(time.time() - 16 * 60, usegmt=True)
    soon = formatdate(time.time() + 16 * 60, usegmt=True)
    for change, options in [
        (with_url(f"{state}?x=1"), {}),
        (with_url(state[:-1] + ("A" if state[-1] != "A" else "B")), {}),
        (with_header("x-ms-date", formatdate(time.time() + 60, usegmt=True)), {}),
        (with_header("x-ms-content-sha256", base64.b64encode(hashlib.sha256(b"x").digest()).decode()), {}),
        (with_header("Host", "elsewhere:1"), {}),
        (with_header("Authorization", "HMAC-SHA256 SignedHeaders=host&Signature=AA=="), {}),
        (with_header("Authorization", f"Bearer {KEY}"), {}),
        (lambda request: request, {"date": late}),
        (lambda request: request, {"date": soon}),
    ]:
        status, _, told = signed("GET", state, change=change, **options)
        assert (status, json.loads(told)["error"]["code"]) == (401, "7509"), (status, told, options)

    def with_body(request):
        request.data = body + b" "
        return request

    status, _, told = signed("POST", url, json_body, body, change=with_body)
    assert (status, json.loads(told)["error"]["code"]) == (401, "7509"), (status, told)
    assert signed("POST", f"{ENDPOINT}/calling/callConnections", body=b"{}")[0] == 405
    call.end()
    assert result_of(recording)["sessionEndReason"] == "CallEnded"
    for chunk in result_of(recording)["recordingStorageInfo"]["recordingChunks"]:
        assert signed("DELETE", chunk["deleteLocation"])[0] == 200


def start_again(kept):
    """Starts what was started before; returns the recording's id."""
    url = f"{ENDPOINT}/calling/recordings?api-version=2026-03-12"
    status, headers, told = signed("POST", url, kept["headers"], kept["body"].encode())
    assert (status, headers["repeatability-result"]) == (200, "accepted"), (status, told)
    return json.loads(told)["recordingId"]


async def keep(sdk):
    """Records, and leaves what came of it where it is."""
    call = Call()
    body = json.dumps({"callLocator": {"serverCallId": call.key, "kind": "serverCallLocator"}})
    repeat = {"Repeatability-Request-ID": str(uuid.uuid4()), "Repeatability-First-Sent": formatdate(usegmt=True)}
    kept = {"headers": {**repeat, "Content-Type": "application/json"}, "body": body}
    recording = start_again(kept)
    time.sleep(1)
    await got(sdk.stop_recording(recording))
    (chunk,) = result_of(recording)["recordingStorageInfo"]["recordingChunks"]
    whole = await read(sdk, chunk["contentLocation"])
    call.end()
    assert len(whole) > 4_000, len(whole)
    kept |= {"recording": recording, "sha256": hashlib.sha256(whole).hexdigest()}
    args.keep.write_text(json.dumps(kept))


async def find(sdk):
    """What was recorded before the service was killed is there, and a request of that time is not done again."""
    kept = json.loads(args.find.read_text())
    assert start_again(kept) == kept["recording"]
    result = result_of(kept["recording"])
    (chunk,) = result["recordingStorageInfo"]["recordingChunks"]
    assert result["sessionEndReason"] == "InitiatorLeft", result
    whole = await read(sdk, chunk["contentLocation"])
    assert hashlib.sha256(whole).hexdigest() == kept["sha256"], len(whole)
    await got(sdk.delete_recording(chunk["deleteLocation"]))
    assert signed("GET", chunk["contentLocation"])[0] == 404


async def main():
    sdk = client()
    if args.keep or args.find:
        await (keep(sdk) if args.keep else find(sdk))
        print("{}")
        return
    ada = callautomation.CommunicationUserIdentifier("8:acs:ada")
    unmixed = {"recording_content_type": "audio", "recording_channel_type": "unmixed", "recording_format_type": "wav"}
    told = [
        await record(sdk, "defaults"),
        await record(sdk, "mixed", recording_format_type="wav", recording_channel_type="mixed"),
        await record(
            sdk, "pinned", pause_on_start=True,
            channel_affinity=[callautomation.ChannelAffinity(target_participant=ada, channel=2)], **unmixed,
        ),
    ]
    await mistakes(sdk)
    again()
    if args.kind == "aio":
        await sdk.close()
    print(json.dumps({"version": VERSION, "kind": args.kind, "recordings": told}))


asyncio.run(main())
