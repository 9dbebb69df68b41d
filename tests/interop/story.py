"""Records calls by the unmodified SDK, in all the ways that it has, and tells what came of it as one JSON document."""

import argparse
import asyncio
import base64
import importlib.metadata
import inspect
import json
from pathlib import Path

from azure.communication import callautomation
from azure.communication.callautomation import aio
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError, ResourceNotFoundError
from azure.core.pipeline.policies import AsyncHTTPPolicy, HTTPPolicy

from service import DEADLINE, Call, Service
from tampered import tampered

parser = argparse.ArgumentParser()
for option in ("--connection", "--authority", "--reelgraph", "--tone", "--out"):
    parser.add_argument(option, required=True)
parser.add_argument("--kind", choices=["sync", "aio"], required=True)
args = parser.parse_args()

SERVICE = Service(args.connection, args.authority, args.reelgraph, args.tone)
VERSION = importlib.metadata.version("azure-communication-callautomation")
ADA = callautomation.CommunicationUserIdentifier("8:acs:ada")
BOB = callautomation.PhoneNumberIdentifier("+14255550123")
# What has been done, as the matrix names it.
DONE = set()


async def got(result):
    """What a call of either half of the SDK gives."""
    return await result if inspect.isawaitable(result) else result


def client(connection=SERVICE.connection, **options):
    half = aio if args.kind == "aio" else callautomation
    return half.CallAutomationClient.from_connection_string(connection, **options)


async def refused(row, kind, status, code, asked):
    """Asserts that the SDK's own exception comes, with status and code."""
    try:
        await got(asked())
    except kind as error:
        assert error.status_code == status, (row, error.status_code, status)
        told = error.error.code if error.error else None
        assert code is None or told == code, (row, told, code)
        DONE.add(row)
        return
    raise AssertionError(f"{row}: {kind} was expected")


async def read(sdk, row, url, **options):
    stream = await got(sdk.download_recording(url, **options))
    data = stream.read()
    data = await data if inspect.isawaitable(data) else data
    DONE.add(row)
    return data


async def states(sdk, recording, play, paused):
    """A recording is paused and goes on, twice said each time."""

    async def check(expected):
        state = (await got(sdk.get_recording_properties(recording))).recording_state
        assert state == expected, (state, expected)
        DONE.add(f"state: {expected}")

    if paused:
        await check("inactive")
        await asyncio.sleep(0.5)
        await got(sdk.resume_recording(recording))
        DONE.add("start: paused")
    await check("active")
    await asyncio.sleep(play)
    await got(sdk.pause_recording(recording))
    await got(sdk.pause_recording(recording))
    DONE.add("pause, and again")
    await check("inactive")
    await asyncio.sleep(0.7)
    await got(sdk.resume_recording(recording))
    await got(sdk.resume_recording(recording))
    DONE.add("resume, and again")
    await check("active")


async def files(sdk, name, recording):
    """What was recorded is loaded, whole and in parts, and deleted."""
    for _ in range(DEADLINE * 20):
        result = SERVICE.result_of(recording)
        if result["recordingStorageInfo"]["recordingChunks"]:
            break
        await asyncio.sleep(0.05)
    assert result["sessionEndReason"] == "InitiatorLeft" and result["errors"] == [], result
    (chunk,) = result["recordingStorageInfo"]["recordingChunks"]
    whole = await read(sdk, "download", chunk["contentLocation"])
    part = await read(sdk, "download: range", chunk["contentLocation"], offset=100, length=50)
    assert part == whole[100:150], (len(part), len(whole))
    rest = await read(sdk, "download: from", chunk["contentLocation"], offset=len(whole) - 10)
    assert rest == whole[-10:]
    metadata = json.loads(await read(sdk, "download: metadata", chunk["metadataLocation"]))
    assert metadata["chunkDocumentId"] == chunk["documentId"], metadata
    path = Path(args.out) / f"{name}.{metadata['recordingInfo']['format']}"
    path.write_bytes(whole)
    await got(sdk.delete_recording(chunk["deleteLocation"]))
    DONE.add("delete")
    # The SDK does not read why.
    for gone in ("contentLocation", "metadataLocation"):
        await refused("404: deleted", ResourceNotFoundError, 404, None, lambda: sdk.download_recording(chunk[gone]))
    await refused("404: deleted", ResourceNotFoundError, 404, None, lambda: sdk.delete_recording(chunk["deleteLocation"]))
    return {"name": name, "path": str(path), "metadata": metadata, "result": result}


async def record(sdk, name, by, rows, play=1.5, **options):
    """Records a call as `options` say, with a pause; loads what it made, and deletes it."""
    call = Call(SERVICE)
    await asyncio.sleep(0.5)
    names = {"server_call_id": "callKey", "group_call_id": "groupCallId", "room_id": "roomId"}
    names["call_connection_id"] = "callConnectionId"
    started = await got(sdk.start_recording(**{by: call.names[names[by]]}, **options))
    recording = started.recording_id
    assert started.recording_state == "inactive", started.recording_state
    DONE.update([f"start: {names[by]}", *rows])
    await states(sdk, recording, play, options.get("pause_on_start"))
    again = lambda: sdk.start_recording(server_call_id=call.key)
    await refused("400: started twice", HttpResponseError, 400, "8559", again)
    await asyncio.sleep(play)
    await got(sdk.stop_recording(recording))
    DONE.add("stop")
    await refused("404: state after stop", ResourceNotFoundError, 404, "8522", lambda: sdk.get_recording_properties(recording))
    await refused("404: stop twice", ResourceNotFoundError, 404, "8522", lambda: sdk.stop_recording(recording))
    told = await files(sdk, name, recording)
    call.end()
    return told


async def mistakes(sdk):
    """What is refused comes as the SDK's own exceptions."""
    call = Call(SERVICE)
    key = base64.b64encode(b"another key, as long as those of the service").decode()
    wrong = client(SERVICE.connection.replace(SERVICE.key, key))
    start = lambda **options: sdk.start_recording(server_call_id=call.key, **options)
    await refused("401: key", ClientAuthenticationError, 401, "7509", lambda: wrong.start_recording(server_call_id=call.key))
    await refused("404: call", ResourceNotFoundError, 404, "8522", lambda: sdk.start_recording(server_call_id="nobody"))
    await refused("404: recording", ResourceNotFoundError, 404, "8522", lambda: sdk.pause_recording("nobody"))
    formats = {"recording_channel_type": "unmixed", "recording_format_type": "mp3"}
    await refused("400: formats", HttpResponseError, 400, "8557", lambda: start(**formats))
    await refused("400: word", HttpResponseError, 400, "8523", lambda: start(recording_format_type="flac"))
    await refused("400: video", HttpResponseError, 400, "8557", lambda: start(recording_content_type="audioVideo"))
    storage = callautomation.AzureBlobContainerRecordingStorage("https://a.blob.core.windows.net/r")
    await refused("405: storage elsewhere", HttpResponseError, 405, "8520", lambda: start(recording_storage=storage))
    call.end()
    await close(wrong)


def lose(response):
    """Makes an answer that has come a failure that may be tried again."""
    response.http_response.status_code = 503
    return response


class Lost(HTTPPolicy):
    """Loses the first answers that come to the client."""

    def __init__(self, count):
        super().__init__()
        self.count = count

    def send(self, request):
        response = self.next.send(request)
        self.count -= 1
        return lose(response) if self.count >= 0 else response


class LostAio(AsyncHTTPPolicy):
    """As `Lost`."""

    def __init__(self, count):
        super().__init__()
        self.count = count

    async def send(self, request):
        response = await self.next.send(request)
        self.count -= 1
        return lose(response) if self.count >= 0 else response


async def retried():
    """A start whose answers are lost is sent again by the SDK, and is done once."""
    call, lost = Call(SERVICE), (LostAio if args.kind == "aio" else Lost)(2)
    sdk = client(per_retry_policies=[lost], retry_backoff_factor=0.05)
    started = await got(sdk.start_recording(server_call_id=call.key))
    assert lost.count == -1, lost.count
    assert call.recordings() == [started.recording_id], call.recordings()
    DONE.add("start: retried, one recording")
    call.end()
    for _ in range(DEADLINE * 20):
        chunks = SERVICE.result_of(started.recording_id)["recordingStorageInfo"]["recordingChunks"]
        if chunks:
            break
        await asyncio.sleep(0.05)
    for chunk in chunks:
        await got(sdk.delete_recording(chunk["deleteLocation"]))
    await close(sdk)


async def close(sdk):
    if args.kind == "aio":
        await sdk.close()


async def main():
    sdk = client()
    unmixed = {"recording_content_type": "audio", "recording_channel_type": "unmixed", "recording_format_type": "wav"}
    affinity = [callautomation.ChannelAffinity(target_participant=ADA, channel=2)]
    told = await asyncio.gather(
        record(sdk, "defaults", "server_call_id", []),
        record(
            sdk, "mixed", "group_call_id", ["start: mixed wav", "start: callback", "start: storage of the service"],
            recording_format_type="wav", recording_channel_type="mixed", recording_content_type="audio",
            recording_state_callback_url="https://127.0.0.1:9/states",
            recording_storage=callautomation.AzureCommunicationsRecordingStorage(),
        ),
        record(
            sdk, "pinned", "call_connection_id", ["start: unmixed wav", "start: affinity"],
            pause_on_start=True, channel_affinity=affinity, **unmixed,
        ),
        record(
            sdk, "ordered", "room_id", ["start: ordering"], audio_channel_participant_ordering=[BOB, ADA], **unmixed,
        ),
        retried(),
    )
    await mistakes(sdk)
    if args.kind == "sync":
        tampered(SERVICE)
    await close(sdk)
    print(json.dumps({"version": VERSION, "recordings": told[:-1], "done": sorted(DONE)}))


asyncio.run(main())
