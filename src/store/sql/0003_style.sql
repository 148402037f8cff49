-- A second picture that a job is made from, which its prompt names. How to change the schema stands in
-- 0001_initial.sql.

ALTER TABLE job ADD COLUMN style_upload INTEGER REFERENCES upload; -- while the job has not ended
CREATE INDEX job_style_upload ON job (style_upload) WHERE style_upload IS NOT NULL;
