-- Webhooks are handed out receiver by receiver, so that a dead one's do not stand in front of others'. A
-- receiver is the host and port of a callback. How to change the schema stands in 0001_initial.sql.

ALTER TABLE job ADD COLUMN receiver TEXT AS (
    lower(substr(callback, instr(callback, '://') + 3,
        instr(replace(replace(substr(callback, instr(callback, '://') + 3) || '/', '?', '/'), '#', '/'), '/')
            - 1))) VIRTUAL;

ALTER TABLE delivery ADD COLUMN receiver TEXT NOT NULL DEFAULT ''; -- its job's
UPDATE delivery SET receiver = (SELECT receiver FROM job WHERE job.id = delivery.job);
DROP INDEX delivery_due;
CREATE INDEX delivery_due ON delivery (receiver, next_ms) WHERE state = 0;
