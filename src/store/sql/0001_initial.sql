-- The first schema.
--
-- HOW TO CHANGE THE SCHEMA
-- 1. Never edit a file that has been released. Add the next number: NNNN_what.sql, and its line in
--    meson.build. It runs once, in order, in one transaction with the step of user_version.
-- 2. Only add, or rewrite in a way that the version before could still have read: an admin command
--    of the old version may be running. Give every new column a DEFAULT.
-- 3. Enumerations (state, kind) are the numbers of the C headers: append, never renumber.
-- 4. Every query must find its rows by an index: tests/contract fails on a query plan that scans.
-- 5. Change the reading code and store_check_ledger() in the same commit, and let the migration
--    test open a store of the version before with jobs in every state.
--
-- Points are whole numbers. Times are Unix milliseconds, -1 for "not yet". UUIDs are 16 bytes.

CREATE TABLE meta (
    one         INTEGER PRIMARY KEY CHECK (one = 1),
    site_secret BLOB NOT NULL CHECK (length(site_secret) = 32),
    pinged_ms   INTEGER NOT NULL DEFAULT -1
) STRICT;

CREATE TABLE account (
    id          INTEGER PRIMARY KEY,
    uuid        BLOB NOT NULL UNIQUE CHECK (length(uuid) = 16),
    name        TEXT NOT NULL,
    disabled    INTEGER NOT NULL DEFAULT 0 CHECK (disabled IN (0, 1)),
    is_private  INTEGER NOT NULL CHECK (is_private IN (0, 1)),
    granted     INTEGER NOT NULL,
    available   INTEGER NOT NULL CHECK (available >= 0),
    frozen      INTEGER NOT NULL DEFAULT 0 CHECK (frozen >= 0),
    consumed    INTEGER NOT NULL DEFAULT 0 CHECK (consumed >= 0),
    waiting     INTEGER NOT NULL DEFAULT 0 CHECK (waiting >= 0), -- jobs: pending, not leased
    running     INTEGER NOT NULL DEFAULT 0 CHECK (running >= 0), -- jobs: leased
    served      INTEGER NOT NULL DEFAULT 0, -- number of its last turn, counted over all accounts
    created_ms  INTEGER NOT NULL,
    updated_ms  INTEGER NOT NULL,
    webhook_secret              TEXT NOT NULL,
    webhook_secret_old          TEXT NOT NULL DEFAULT '',
    webhook_secret_old_until_ms INTEGER NOT NULL DEFAULT -1,
    CHECK (granted = available + frozen + consumed)
) STRICT;

-- Whose turn it is: fewest running first, then served longest ago.
CREATE INDEX account_turn ON account (running, served) WHERE waiting > 0 AND disabled = 0;

CREATE TABLE api_key (
    sha256     BLOB PRIMARY KEY CHECK (length(sha256) = 32),
    account    INTEGER NOT NULL REFERENCES account,
    prefix     TEXT NOT NULL,
    created_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE upload (
    id         INTEGER PRIMARY KEY,
    public_id  TEXT NOT NULL UNIQUE,
    account    INTEGER NOT NULL REFERENCES account,
    blob_key   TEXT NOT NULL UNIQUE,
    bytes      INTEGER NOT NULL,
    width      INTEGER NOT NULL,
    height     INTEGER NOT NULL,
    format     INTEGER NOT NULL,
    sha256     BLOB NOT NULL CHECK (length(sha256) = 32),
    created_ms INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL,
    jobs       INTEGER NOT NULL DEFAULT 0 CHECK (jobs >= 0) -- unfinished ones that use it
) STRICT;

CREATE INDEX upload_same ON upload (account, sha256);

-- Short columns first: SQLite walks a row from its beginning.
CREATE TABLE job (
    id          INTEGER PRIMARY KEY,
    uuid        BLOB NOT NULL UNIQUE CHECK (length(uuid) = 16),
    account     INTEGER NOT NULL REFERENCES account,
    state       INTEGER NOT NULL DEFAULT 0 CHECK (state BETWEEN 0 AND 4),
    lease       INTEGER NOT NULL DEFAULT 0, -- token of the worker that has it, 0 for none
    is_private  INTEGER NOT NULL,
    cost        INTEGER NOT NULL CHECK (cost >= 0),
    claims      INTEGER NOT NULL DEFAULT 0,
    strikes     INTEGER NOT NULL DEFAULT 0,
    created_ms  INTEGER NOT NULL,
    started_ms  INTEGER NOT NULL DEFAULT -1,
    ended_ms    INTEGER NOT NULL DEFAULT -1,
    expires_ms  INTEGER NOT NULL DEFAULT -1,
    seed        INTEGER, -- NULL until it is known
    width       INTEGER NOT NULL DEFAULT 0,
    height      INTEGER NOT NULL DEFAULT 0,
    error_code  INTEGER NOT NULL DEFAULT 0,
    cancelled   INTEGER NOT NULL DEFAULT 0,
    upload      INTEGER REFERENCES upload, -- its source, while the job has not ended
    source_blob TEXT NOT NULL DEFAULT '',
    engine      TEXT NOT NULL DEFAULT '',
    img_url     TEXT NOT NULL,
    prompt      TEXT NOT NULL,
    callback    TEXT NOT NULL,
    interpretation TEXT,
    warnings       TEXT,
    timings        TEXT,
    error_message  TEXT NOT NULL DEFAULT '',
    error_detail   TEXT,
    CHECK (lease = 0 OR state IN (0, 1, 2)),
    CHECK (lease <> 0 OR state NOT IN (1, 2))
) STRICT;

-- Lists, and an account's oldest waiting job; the row id is the implied last column.
CREATE INDEX job_state ON job (account, state);
CREATE INDEX job_leased ON job (id) WHERE lease <> 0;
CREATE INDEX job_upload ON job (upload) WHERE upload IS NOT NULL;

CREATE TABLE idempotency (
    id          INTEGER PRIMARY KEY,
    account     INTEGER NOT NULL,
    path        TEXT NOT NULL,
    key         TEXT NOT NULL,
    body_sha256 BLOB NOT NULL,
    created_ms  INTEGER NOT NULL,
    answer      BLOB NOT NULL,
    UNIQUE (account, path, key)
) STRICT;

CREATE INDEX idempotency_age ON idempotency (created_ms);

CREATE TABLE ledger (
    id      INTEGER PRIMARY KEY,
    account INTEGER NOT NULL REFERENCES account,
    kind    INTEGER NOT NULL CHECK (kind BETWEEN 1 AND 4), -- grant, freeze, consume, release
    points  INTEGER NOT NULL CHECK (points >= 0),
    job     INTEGER, -- NULL for a grant
    at_ms   INTEGER NOT NULL,
    CHECK ((job IS NULL) = (kind = 1))
) STRICT;

CREATE TRIGGER ledger_is_append_only_1 BEFORE UPDATE ON ledger
BEGIN SELECT raise(ABORT, 'the ledger is append-only'); END;
CREATE TRIGGER ledger_is_append_only_2 BEFORE DELETE ON ledger
BEGIN SELECT raise(ABORT, 'the ledger is append-only'); END;

CREATE TABLE delivery (
    id          INTEGER PRIMARY KEY AUTOINCREMENT, -- an id never names another delivery later
    msg_uuid    BLOB NOT NULL CHECK (length(msg_uuid) = 16),
    job         INTEGER NOT NULL REFERENCES job,
    state       INTEGER NOT NULL DEFAULT 0 CHECK (state BETWEEN 0 AND 2),
    attempts    INTEGER NOT NULL DEFAULT 0,
    last_status INTEGER NOT NULL DEFAULT 0,
    next_ms     INTEGER NOT NULL,
    created_ms  INTEGER NOT NULL,
    ended_ms    INTEGER NOT NULL DEFAULT -1
) STRICT;

CREATE INDEX delivery_due ON delivery (next_ms) WHERE state = 0;
CREATE INDEX delivery_ended ON delivery (ended_ms) WHERE state <> 0;

-- Every blob that may exist. due_ms: when it may go; NULL while something still needs it.
CREATE TABLE blob (
    key    TEXT PRIMARY KEY,
    job    INTEGER, -- NULL for an upload
    bytes  INTEGER NOT NULL,
    due_ms INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX blob_due ON blob (due_ms) WHERE due_ms IS NOT NULL;
