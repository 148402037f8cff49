-- An account's failed jobs are few and lie far apart, so that a list of them read a page of the table for
-- each. This index holds all that a list tells of them, side by side; only failed jobs are in it, so it
-- costs nobody else anything. Who adds to JOB_COLUMNS makes it anew, as a test demands. How to change the
-- schema stands in 0001_initial.sql.

CREATE INDEX job_failed ON job (
    account, id, uuid, state, is_private, cost, claims, strikes, created_ms, started_ms, ended_ms,
    expires_ms, seed, width, height, error_code, cancelled, source_blob, engine, img_url, prompt, callback,
    interpretation, warnings, timings, error_message, error_detail
) WHERE state = 4;
