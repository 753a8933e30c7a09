-- How many files a pull request changes, as its event said: its list is asked for at once.

ALTER TABLE pulls ADD COLUMN files BIGINT NOT NULL DEFAULT 0; -- 0: it was not said
