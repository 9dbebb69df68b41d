"""What a story needs beside the SDK: the service's own API, signatures of its own, and calls of people who send."""

import atexit
import base64
import hashlib
import hmac
import json
import ssl
import subprocess
import time
import urllib.error
import urllib.request
import uuid
from email.utils import formatdate
from pathlib import Path
from urllib.parse import urlsplit

DEADLINE = 60


class Service:
    """The service that a connection string leads to."""

    def __init__(self, connection, authority, reelgraph, tone=None):
        self.connection = Path(connection).read_text()
        endpoint, self.key = self.connection.strip().removeprefix("endpoint=").split(";accesskey=")
        self.endpoint = endpoint.rstrip("/")
        self.reelgraph, self.tone = reelgraph, tone
        # Whatever the SDK is told by its environment, this goes straight to the service.
        context = ssl.create_default_context(cafile=authority)
        handlers = urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
        self.opener = urllib.request.build_opener(*handlers)

    def signed(self, method, url, extra=None, body=b"", date=None, change=lambda request: request):
        """Sends a request that is signed as the contract says, and then changed; returns status, headers, body."""
        parts, date = urlsplit(url), date or formatdate(usegmt=True)
        content = base64.b64encode(hashlib.sha256(body).digest()).decode()
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        text = f"{method}\n{target}\n{date};{parts.netloc};{content}"
        mac = hmac.new(base64.b64decode(self.key), text.encode(), hashlib.sha256).digest()
        headers = {
            "x-ms-date": date,
            "x-ms-content-sha256": content,
            "Authorization": "HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature="
            + base64.b64encode(mac).decode(),
            **(extra or {}),
        }
        request = urllib.request.Request(url, method=method, headers=headers, data=body or None)
        try:
            with self.opener.open(change(request), timeout=DEADLINE) as answer:
                return answer.status, dict(answer.headers), answer.read()
        except urllib.error.HTTPError as error:
            return error.code, dict(error.headers), error.read()

    def own(self, method, path, body=None):
        """Asks the service's own API, with a key."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {self.key}"}
        request = urllib.request.Request(self.endpoint + path, method=method, data=data, headers=headers)
        with self.opener.open(request, timeout=DEADLINE) as answer:
            body = answer.read()
            return json.loads(body) if body else None

    def result_of(self, recording):
        """What is stored of a recording so far."""
        status, _, body = self.signed("GET", f"{self.endpoint}/calling/recordings/{recording}/result")
        assert status == 200, (status, body)
        return json.loads(body)


class Call:
    """A call of two parties: Ada sends numbered frames, Bob a tone."""

    def __init__(self, service):
        self.service = service
        self.names = {name: f"{name}-{uuid.uuid4()}" for name in ("callKey", "callConnectionId", "groupCallId", "roomId")}
        self.key = self.names["callKey"]
        self.id = service.own("POST", "/api/v1/calls", self.names)["id"]
        self.senders, ports = [], []
        for party, what in (("8:acs:ada", ["--serial"]), ("4:+14255550123", [service.tone, "--loop"])):
            body = {"participantId": party, "track": "codec=pcmu"}
            rtp = service.own("POST", f"/api/v1/calls/{self.id}/participants", body)["rtp"]
            command = [service.reelgraph, "send", *what, "--to", f"rtp://{rtp}", "--codec", "pcmu"]
            sender = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            atexit.register(sender.kill)
            self.senders.append(sender)
            ports.append(int(rtp.rsplit(":", 1)[1]))
        poll(lambda: all(map(is_sending, ports)), bool)

    def recordings(self):
        return self.service.own("GET", f"/api/v1/calls/{self.id}")["recordings"]

    def end(self):
        self.service.own("DELETE", f"/api/v1/calls/{self.id}")
        for sender in self.senders:
            sender.kill()
            sender.wait()


def is_sending(port):
    """Whether a socket is connected with a port of this machine: what is sent there is, from then on."""
    sockets = Path("/proc/net/udp").read_text().splitlines()[1:]
    return any(socket.split()[2] == f"0100007F:{port:04X}" for socket in sockets)


def poll(what, ready):
    """Asks until what is told is ready; returns it."""
    until = time.monotonic() + DEADLINE
    while time.monotonic() < until:
        told = what()
        if ready(told):
            return told
        time.sleep(0.05)
    raise TimeoutError("it does not become ready")
