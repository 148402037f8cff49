-- What operators need: keys that can be listed and revoked, accounts that can be deleted, and
-- deliveries that can be listed. How to change the schema stands in 0001_initial.sql.

CREATE TABLE key_with_number (
    id         INTEGER PRIMARY KEY AUTOINCREMENT, -- a number never names another key later
    sha256     BLOB NOT NULL UNIQUE CHECK (length(sha256) = 32),
    account    INTEGER NOT NULL REFERENCES account,
    prefix     TEXT NOT NULL,
    label      TEXT NOT NULL DEFAULT '',
    created_ms INTEGER NOT NULL,
    used_ms    INTEGER NOT NULL DEFAULT -1 -- last; some minutes late
) STRICT;

INSERT INTO key_with_number (sha256, account, prefix, created_ms)
SELECT sha256, account, prefix, created_ms FROM api_key ORDER BY created_ms;
DROP TABLE api_key;
ALTER TABLE key_with_number RENAME TO api_key;
CREATE INDEX api_key_account ON api_key (account);

-- A revoked key never opens anything again, even when a setting still names it at the next start.
CREATE TABLE revoked_key (
    sha256     BLOB PRIMARY KEY CHECK (length(sha256) = 32),
    revoked_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

ALTER TABLE account ADD COLUMN deleted_ms INTEGER NOT NULL DEFAULT -1;
-- Of a deleted account: the newest job that has been erased; -1 when all of it has.
ALTER TABLE account ADD COLUMN erased_to INTEGER NOT NULL DEFAULT 0;
CREATE INDEX account_erasing ON account (id) WHERE deleted_ms >= 0 AND erased_to >= 0;
CREATE INDEX blob_job ON blob (job) WHERE job IS NOT NULL;

ALTER TABLE delivery ADD COLUMN account INTEGER NOT NULL DEFAULT 0; -- its job's
UPDATE delivery SET account = (SELECT account FROM job WHERE job.id = delivery.job);
CREATE INDEX delivery_account ON delivery (account);
CREATE INDEX delivery_job ON delivery (job);
CREATE UNIQUE INDEX delivery_message ON delivery (msg_uuid);
