-- A judgement that somebody asked for again, by button or "re-run".

ALTER TABLE heads ADD COLUMN rerun BIGINT NOT NULL DEFAULT 0; -- the generation that was asked for so; 0: none
ALTER TABLE heads ADD COLUMN rerun_ms BIGINT NOT NULL DEFAULT 0; -- when one was last due: they are spaced out
