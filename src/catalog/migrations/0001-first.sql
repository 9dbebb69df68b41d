-- Ids are UUIDs as text, times are microseconds since 1970 (UTC).

CREATE TABLE calls (
    id TEXT PRIMARY KEY,
    resource TEXT NOT NULL,
    created_us BIGINT NOT NULL
);

CREATE TABLE call_names (
    resource TEXT NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    call TEXT NOT NULL,
    PRIMARY KEY (resource, kind, name)
);

CREATE INDEX call_names_by_call ON call_names (call);

-- `track` is what is sent (JSON), `port` where it is received.
CREATE TABLE participants (
    call TEXT NOT NULL,
    id TEXT NOT NULL,
    track TEXT NOT NULL,
    port BIGINT NOT NULL,
    joined_us BIGINT NOT NULL,
    PRIMARY KEY (call, id)
);

-- `pins` are participants with their channels (JSON). `stopping` is why it is being ended. It has ended where `reason`
-- is there.
CREATE TABLE recordings (
    id TEXT PRIMARY KEY,
    resource TEXT NOT NULL,
    call TEXT NOT NULL,
    graph TEXT NOT NULL,
    pins TEXT NOT NULL,
    started_us BIGINT NOT NULL,
    paused BIGINT NOT NULL,
    paused_us BIGINT NOT NULL,
    stopping TEXT,
    reason TEXT,
    error TEXT,
    ready_us BIGINT,
    expires_us BIGINT
);

CREATE TABLE chunks (
    id TEXT PRIMARY KEY,
    recording TEXT NOT NULL,
    chunk_index BIGINT NOT NULL,
    format TEXT NOT NULL,
    size BIGINT NOT NULL,
    sha256 TEXT NOT NULL,
    duration_us BIGINT NOT NULL
);

CREATE INDEX chunks_by_recording ON chunks (recording);

-- Chunks whose files are still to be deleted.
CREATE TABLE deletions (
    chunk TEXT PRIMARY KEY
);

-- Requests that may be made again; `body` is the SHA-256 of what was asked.
CREATE TABLE repeats (
    resource TEXT NOT NULL,
    id TEXT NOT NULL,
    body BLOB NOT NULL,
    recording TEXT NOT NULL,
    at_us BIGINT NOT NULL,
    PRIMARY KEY (resource, id)
);

-- Only ever appended to. `key` tells which of the resource's keys was used, not the key.
CREATE TABLE audit (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at_us BIGINT NOT NULL,
    resource TEXT NOT NULL,
    key TEXT NOT NULL,
    operation TEXT NOT NULL,
    object TEXT NOT NULL,
    result TEXT NOT NULL
);

CREATE INDEX audit_by_resource ON audit (resource, id);
