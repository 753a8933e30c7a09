-- A comment of ours that says that everything is settled, and is folded away.

ALTER TABLE comments ADD COLUMN settled BIGINT NOT NULL DEFAULT 0; -- 0 or 1
