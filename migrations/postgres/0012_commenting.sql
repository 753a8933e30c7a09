-- Of which head a judgement is posting the first comment on a pull request, and until when that holds.

ALTER TABLE pulls ADD COLUMN commenting TEXT;
ALTER TABLE pulls ADD COLUMN commenting_ms BIGINT;
