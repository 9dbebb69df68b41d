"""Records a call of three parties by the unmodified SDK of Azure Communication Services, loads what was recorded,
judges it by ffmpeg, and deletes it; says what happens."""

import argparse
import array
import atexit
import importlib.metadata
import json
import signal
import subprocess
import time
import urllib.request
from collections import Counter
from pathlib import Path

from azure.communication.callautomation import CallAutomationClient, ChannelAffinity, CommunicationUserIdentifier
from azure.core.exceptions import ResourceNotFoundError

from service import Service, poll

SDK = "azure-communication-callautomation"
SPEECH = "/usr/share/pocketsphinx/test/data/librivox/sense_and_sensibility_01_austen_64kb"
PROMPTS = "/usr/share/asterisk/sounds/en_US_f_Allison"
# Who is in the call: what they say, their codec, and how they send.
PARTIES = {
    "8:acs:reader": (f"{SPEECH}-0870.wav", "opus", []),
    "8:acs:second": (f"{SPEECH}-0920.wav", "pcmu", ["--loss", "2%", "--jitter", "30ms"]),
    "8:acs:prompt": (f"{PROMPTS}/demo-instruct.wav", "g722", []),
}
# Seconds that files may be beyond the times of requests: a few samples of 62.5 µs, and milliseconds in metadata.
ROUNDING = 0.001
# Of 32768: speech is louder, silence and what codecs make of it is not.
VOICE = 1_000
STOPPED = 'recordings_ended_total{reason="stopped"}'
METRICS = (STOPPED, "recorded_seconds_total", "paused_seconds_total", "packets_lost_total")

parser = argparse.ArgumentParser()
for option in ("--reelgraph", "--data", "--admin", "--out"):
    parser.add_argument(option, required=True)
args = parser.parse_args()

DATA, OUT = Path(args.data), Path(args.out)
SERVICE = Service(DATA / "connection-strings/default", DATA / "tls/ca.pem", args.reelgraph)
CLIENT = CallAutomationClient.from_connection_string(SERVICE.connection)
SENDERS = []


def say(text, *more):
    """Prints what happens, and below it what came of it."""
    print(f"== {text}", *(f"   {line}" for line in more), sep="\n", flush=True)


def join(call, party):
    """Somebody comes: they get a port of the service, and a phone sends their speech there."""
    speech, codec, network = PARTIES[party]
    track = {"participantId": party, "track": f"codec={codec}"}
    rtp = SERVICE.own("POST", f"/api/v1/calls/{call}/participants", track)["rtp"]
    # No longer than anybody would wait, should nobody be left to end it.
    command = [args.reelgraph, "send", speech, "--codec", codec, "--loop", "--duration", "120s", "--to", f"rtp://{rtp}"]
    sender = subprocess.Popen([*command, *network], stdout=subprocess.DEVNULL)
    atexit.register(sender.kill)
    SENDERS.append(sender)
    return f"{party} sends {codec} to {rtp} {' '.join(network)}".rstrip()


def bounds(begins, ends):
    """Returns least and most seconds between what was asked for, which took effect when the request arrived."""
    least = sum(end[0] - begin[1] for begin, end in zip(begins, ends, strict=True))
    return least - ROUNDING, sum(end[1] - begin[0] for begin, end in zip(begins, ends, strict=True)) + ROUNDING


class Recording:
    """A recording that the SDK controls, and when it was asked to."""

    def __init__(self, name, **options):
        self.name, self.asked = name, []
        self.id = self.ask(lambda: CLIENT.start_recording(server_call_id="demo", **options)).recording_id

    def ask(self, request):
        """Asks for a start, pause, resume or stop, and notes between which instants it arrived."""
        before = time.monotonic()
        answer = request()
        self.asked.append((before, time.monotonic()))
        return answer

    def state(self, expected):
        """Asserts that the SDK is told a state; returns it."""
        told = CLIENT.get_recording_properties(self.id).recording_state
        assert told == expected, f"{self.name} is {told}, not {expected}"
        return f"state: {told}"

    def pause(self):
        self.ask(lambda: CLIENT.pause_recording(self.id))
        say(f"{self.name}: paused", self.state("inactive"))

    def resume(self):
        self.ask(lambda: CLIENT.resume_recording(self.id))
        say(f"{self.name}: resumed", self.state("active"))

    def stop(self):
        self.ask(lambda: CLIENT.stop_recording(self.id))
        say(f"{self.name}: stopped")

    def bounds(self):
        """Returns least and most seconds that are to be in its file: from start to pause, from resume to stop."""
        return bounds(self.asked[::2], self.asked[1::2])

    def paused(self):
        """As `bounds`, of what is not to be in its file."""
        return bounds(self.asked[1:-1:2], self.asked[2:-1:2])

    def load(self):
        """Waits until its file is ready; loads it and its metadata by the SDK. Returns path, metadata, addresses."""
        stored = lambda result: result["recordingStorageInfo"]["recordingChunks"]
        result = poll(lambda: SERVICE.result_of(self.id), stored)
        (chunk,) = stored(result)
        content = CLIENT.download_recording(chunk["contentLocation"]).read()
        metadata = json.loads(CLIENT.download_recording(chunk["metadataLocation"]).read())
        path = OUT / f"{self.name}.{metadata['recordingInfo']['format']}"
        path.write_bytes(content)
        path.with_suffix(".json").write_text(json.dumps(metadata, indent=2))
        ended = f"ended as {result['sessionEndReason']}, {result['recordingDurationMs']} ms"
        say(f"{self.name}: loaded {path}, {len(content)} bytes", ended, f"from {chunk['contentLocation']}")
        return path, metadata, chunk


def judge(recording, path, metadata, channels):
    """Asserts by ffmpeg that a file is as long as it was recorded, less the pause, with a voice in each channel."""
    probe = ["ffprobe", "-v", "error", "-show_entries", "stream=codec_name,sample_rate,channels", "-of", "json", path]
    (stream,) = json.loads(subprocess.run(probe, check=True, stdout=subprocess.PIPE).stdout)["streams"]
    assert stream["channels"] == channels, stream
    # By its samples, since containers round.
    decode = ["ffmpeg", "-nostdin", "-v", "error", "-i", path, "-f", "s16le", "-"]
    samples = array.array("h", subprocess.run(decode, check=True, stdout=subprocess.PIPE).stdout)
    seconds = len(samples) / channels / int(stream["sample_rate"])
    least, most = recording.bounds()
    assert least <= seconds <= most, f"{path} has {seconds} s, not {least} to {most}"
    assert abs(metadata["chunkDuration"] - 1000 * seconds) <= 1, (metadata["chunkDuration"], seconds)
    peaks = [max(map(abs, samples[channel::channels])) for channel in range(channels)]
    assert min(peaks) > VOICE, f"{path} has a channel without a voice: {peaks}"
    say(
        f"{path}, as ffmpeg hears it",
        f"{stream['codec_name']}, {stream['sample_rate']} Hz, channels: {channels}, loudest samples: {peaks}",
        f"{len(samples) // channels} samples, {seconds:.4f} s; asked for: {least:.4f} to {most:.4f} s, without pauses",
    )


def delete(recording, chunk):
    """Deletes what was recorded; asserts that it is gone."""
    CLIENT.delete_recording(chunk["deleteLocation"])
    try:
        CLIENT.download_recording(chunk["contentLocation"])
    except ResourceNotFoundError as error:
        say(f"{recording.name}: deleted", f"download: {type(error).__name__}, {error.status_code}")
    else:
        raise AssertionError(f"{recording.name} is deleted, and there")


def mixed(call):
    """Everybody in one voice, with a pause; the third comes while it is recorded."""
    mp3 = {"recording_content_type": "audio", "recording_channel_type": "mixed", "recording_format_type": "mp3"}
    recording = Recording("mixed", **mp3)
    time.sleep(2)
    say("mixed MP3: started, and somebody comes late", recording.state("active"), join(call, "8:acs:prompt"))
    time.sleep(2)
    recording.pause()
    time.sleep(1.5)
    recording.resume()
    time.sleep(2.5)
    recording.stop()
    path, metadata, chunk = recording.load()
    judge(recording, path, metadata, 1)
    (pause,) = metadata["pauseResumeIntervals"]
    least, most = recording.paused()
    assert least <= pause["duration"] / 1000 <= most, f"{pause}, not {least} to {most} s"
    say(f"mixed: loaded {path.with_suffix('.json')}, with the pause", json.dumps(pause))
    return recording, chunk


def unmixed():
    """Everybody in a channel of their own, the one who came last in the first."""
    affinity = [ChannelAffinity(target_participant=CommunicationUserIdentifier("8:acs:prompt"), channel=0)]
    wav = {"recording_content_type": "audio", "recording_channel_type": "unmixed", "recording_format_type": "wav"}
    recording = Recording("unmixed", channel_affinity=affinity, **wav)
    say("unmixed WAV: started, with channel 0 for 8:acs:prompt", recording.state("active"))
    time.sleep(5)
    recording.stop()
    path, metadata, chunk = recording.load()
    judge(recording, path, metadata, len(PARTIES))
    heard = {participant["participantId"]: participant.get("channel") for participant in metadata["participants"]}
    assert heard.keys() == PARTIES.keys() and sorted(heard.values()) == [0, 1, 2], heard
    assert heard["8:acs:prompt"] == 0, heard
    say(f"unmixed: loaded {path.with_suffix('.json')}", *json.dumps(metadata, indent=2).splitlines())
    return recording, chunk


def hang_up(call):
    """The call ends, and the phones with it."""
    SERVICE.own("DELETE", f"/api/v1/calls/{call}")
    for sender in SENDERS:
        sender.send_signal(signal.SIGINT)
    codes = [sender.wait(timeout=10) for sender in SENDERS]
    assert codes == [0] * len(PARTIES), f"send has failed: {codes}"
    say("the call has ended")


def watch():
    """What whoever runs the service can see, and what its user can look up."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"{args.admin}metrics", timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    shown = [line for line in lines if line.startswith(tuple(f"reelgraph_{name}" for name in METRICS))]
    assert len(shown) == len(METRICS) and f"reelgraph_{STOPPED} 2" in shown, shown
    say("metrics", *shown)
    entries = SERVICE.own("GET", "/api/v1/audit")["entries"]
    done = Counter(f"{entry['operation']}: {entry['result']}" for entry in entries)
    say("audit", *(f"{count} × {what}" for what, count in done.items()), f"the last: {json.dumps(entries[-1])}")


def main():
    say(f"{SDK} {importlib.metadata.version(SDK)}, unmodified, records at {SERVICE.endpoint}")
    call = SERVICE.own("POST", "/api/v1/calls", {"callKey": "demo"})["id"]
    say("a call begins", *(join(call, party) for party in list(PARTIES)[:2]))
    time.sleep(1)
    recorded = [mixed(call), unmixed()]
    for recording, chunk in recorded:
        delete(recording, chunk)
    hang_up(call)
    watch()
    files = sorted(str(path) for path in OUT.iterdir() if path.is_file())
    say("what the demo has left", *files, f"the graph, for GStreamer: {args.reelgraph} show mixed-mp3 --as launch")


main()
