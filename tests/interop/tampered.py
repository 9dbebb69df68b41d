"""Requests that somebody has changed on their way, or sends again."""

import base64
import hashlib
import json
import time
import uuid
from email.utils import formatdate

from service import Call, poll


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


def tampered(service):
    """A request that is made again is done once, and one that was changed on its way is not done at all."""
    signed, endpoint = service.signed, service.endpoint
    call, url = Call(service), f"{endpoint}/calling/recordings?api-version=2026-03-12"
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

    state = f"{endpoint}/calling/recordings/{recording}"
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
        (with_header("Authorization", f"Bearer {service.key}"), {}),
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
    assert signed("POST", f"{endpoint}/calling/callConnections", body=b"{}")[0] == 405
    call.end()
    stored = lambda result: result["recordingStorageInfo"]["recordingChunks"]
    result = poll(lambda: service.result_of(recording), stored)
    assert result["sessionEndReason"] == "CallEnded", result
    for chunk in stored(result):
        # By the name that it is known by here: the one in the address may lead elsewhere.
        place = "/v1/objects/" + chunk["deleteLocation"].split("/v1/objects/")[1]
        assert signed("DELETE", endpoint + place)[0] == 200
