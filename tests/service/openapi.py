"""Asks for all that /openapi.json tells, as each who may and may not: no key, a wrong one, another resource's, its own.
What a request must be asked with is made here; which requests there are the document says. Prints the matrix."""

import argparse
import base64
import json
import os
import random
import subprocess
import sys
import urllib.error
import urllib.request
import uuid
from pathlib import Path
from urllib.parse import quote

from service import Call, Service, poll

parser = argparse.ArgumentParser()
for option in ("--connection", "--other", "--authority", "--reelgraph", "--tone", "--http", "--schemathesis", "--hooks"):
    parser.add_argument(option, required=True)
args = parser.parse_args()

MINE = Service(args.connection, args.authority, args.reelgraph, args.tone)
OTHER = Service(args.other, args.authority, args.reelgraph, args.tone)
# Refused without being an operation of somebody's: nothing is there, or it cannot be read.
NOT_DONE = range(400, 500)


def document():
    with MINE.opener.open(f"{MINE.endpoint}/openapi.json") as answer:
        return json.loads(answer.read())


def recorded():
    """A call that is recorded: two recordings go on, one has ended, and its file is there."""
    call = Call(MINE)
    path = f"/api/v1/calls/{call.id}/recordings"
    ended = MINE.own("POST", path, {"graph": "mixed-wav", "tags": ["ended"]})["id"]
    MINE.own("DELETE", f"/api/v1/recordings/{quote(ended, safe='')}")
    found = lambda: MINE.own("GET", f"/api/v1/recordings?tag=ended&callKey={call.key}")["recordings"][0]
    chunk = poll(found, lambda told: told["state"] == "ended")["chunks"][0]
    # Both ways to stop one are tried.
    running = [MINE.own("POST", path, {"graph": graph})["id"] for graph in ("mixed-mp3", "unmixed-wav")]
    view = chunk["contentLocation"].rsplit("/", 1)[1]
    ids = {
        "call": call.id,
        "participant": "8:acs:ada",
        "recording": running[0],
        "recordingId": running[1],
        "documentId": chunk["documentId"],
        "view": view,
    }
    return call, ids


def body_of(method, path, key):
    """What an operation is asked with that has something to be told."""
    bodies = {
        ("post", "/api/v1/calls"): {},
        ("post", "/api/v1/calls/{call}/participants"): {"participantId": str(uuid.uuid4()), "track": "codec=pcmu"},
        ("patch", "/api/v1/calls/{call}/participants/{participant}"): {"displayName": "Ada"},
        ("post", "/api/v1/calls/{call}/recordings"): {"graph": "mixed-wav"},
        ("post", "/calling/recordings"): {"callLocator": {"serverCallId": key, "kind": "serverCallLocator"}},
    }
    return bodies.get((method, path))


def ask(who, method, url, body, key=None):
    """Asks with a signature; with `key`, with that; with "", with none. Returns the status."""
    data = b"" if body is None else json.dumps(body).encode()
    extra = {"Content-Type": "application/json"}
    if key is None:
        return who.signed(method, url, extra, data)[0]
    headers = extra | ({"Authorization": f"Bearer {key}"} if key else {})
    request = urllib.request.Request(url, method=method, headers=headers, data=data or None)
    try:
        with who.opener.open(request) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def matrix(paths, call, ids):
    """Every operation by everybody. What ends things comes last, and is done by its owner when all others are through."""
    accepted = 0
    wrong = base64.b64encode(bytes(64)).decode()
    operations = [(path, method) for path, item in paths.items() for method in item if method in METHODS]
    print(f"{'':8}{'operation':64}{'none':>6}{'wrong':>6}{'other':>6}{'own':>6}")
    for path, method in sorted(operations, key=lambda operation: (LAST.index(operation[1]), -len(operation[0]))):
        url = MINE.endpoint + path.format(**{name: quote(known, safe="") for name, known in ids.items()})
        body = body_of(method, path, call.key)
        status = [ask(MINE, method.upper(), url, body, "")]
        status += [ask(MINE, method.upper(), url, body, wrong)]
        status += [ask(OTHER, method.upper(), url, body)]
        status += [ask(MINE, method.upper(), url, body)]
        print(f"{method:8}{path:64}" + "".join(f"{told:6}" for told in status))
        assert status[:2] == [401, 401], (method, path, status)
        # What is not about anything in particular is the other's own.
        is_about = "{" in path or path == "/calling/recordings"
        assert status[2] == 404 if is_about else status[2] < 300, (method, path, status)
        # Ada's call is recorded: what starts as ACS does is refused then.
        is_refused = path == "/calling/recordings"
        assert (status[3] == 400) if is_refused else (status[3] < 300), (method, path, status)
        accepted += 1 if is_audited(method, path) and not is_refused else 0
    return accepted


METHODS = ("get", "post", "patch", "delete")
LAST = ["get", "patch", "post", "delete"]


def is_audited(method, path):
    return method != "get" or path.startswith("/v1/objects")


def audited():
    """How many rows the audit has of mine that were accepted."""
    entries, after = [], 0
    while True:
        page = MINE.own("GET", f"/api/v1/audit?after={after}&limit=1000")
        entries += page["entries"]
        if "next" not in page:
            return sum(entry["result"] == "accepted" for entry in entries)
        after = page["next"]


def none_is_told_of_routes():
    """What no route takes is refused to those who may ask; others are not told."""
    for method, path, refused in (("PATCH", "/api/v1/calls", 405), ("GET", "/api/v1/calls/%FF", 404)):
        url = MINE.endpoint + path
        told = [ask(MINE, method, url, None, ""), ask(MINE, method, url, None)]
        assert told == [401, refused], (method, path, told)


def others_see_nothing(ids):
    """What lists says nothing of another's."""
    assert OTHER.own("GET", "/api/v1/recordings") == {"recordings": []}
    # The one that it began itself.
    assert all(call["id"] != ids["call"] for call in OTHER.own("GET", "/api/v1/calls"))
    # What it has asked for in vain is its own.
    done = [entry for entry in OTHER.own("GET", "/api/v1/audit")["entries"] if entry["result"] == "accepted"]
    assert done and all(ids["call"] not in json.dumps(entry) for entry in done), done


def conforms(ids):
    """Lets schemathesis ask for all there is."""
    command = [args.schemathesis, "run", f"{args.http}/openapi.json", "--no-color", "--phases", "examples,coverage,fuzzing"]
    checks = "status_code_conformance,content_type_conformance,response_headers_conformance,response_schema_conformance"
    command += ["--checks", f"{checks},failures_are_told", "--max-examples", "60", "--continue-on-failure"]
    command += ["--warnings", "off", "--generation-database", "none", "--request-timeout", "30"]
    seed = os.environ.get("REELGRAPH_TEST_SEED") or str(random.getrandbits(32))
    command += ["--seed", seed]
    environment = {
        "PATH": "/usr/bin:/bin",
        "SCHEMATHESIS_HOOKS": "openapi_hooks",
        "PYTHONPATH": str(Path(args.hooks).parent),
        "PYTHONDONTWRITEBYTECODE": "1",
        "REELGRAPH_TEST_KEY": MINE.key,
        "REELGRAPH_TEST_IDS": json.dumps(ids),
        "NO_PROXY": "*",
    }
    run = subprocess.run(command, env=environment, cwd=Path(args.connection).parent, stdout=subprocess.PIPE, text=True)
    # Who looks at a failure looks there.
    print(f"openapi: REELGRAPH_TEST_SEED={seed}\n{run.stdout}", file=sys.stderr if run.returncode else sys.stdout)
    return run.returncode


def main():
    paths = document()["paths"]
    call, ids = recorded()
    before = audited()
    accepted = matrix(paths, call, ids)
    assert audited() - before == accepted, (before, audited(), accepted)
    none_is_told_of_routes()
    others_see_nothing(ids)
    _, ids = recorded()
    # The call may be over then: all methods are tried.
    return conforms(ids)


sys.exit(main())
