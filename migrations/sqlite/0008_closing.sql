-- A delivery that closes a pull request may come after the one that reopened it: GitHub is asked.

ALTER TABLE pulls ADD COLUMN closing_ms BIGINT; -- since when an open one is said to be closed; NULL: it is not
