-- Branches whose tip is judged: a merge group's, against the commit that the group
-- is put on; and a branch that is to have a run at all, against itself.

CREATE TABLE tips (
    repository  BIGINT NOT NULL,
    branch      TEXT   NOT NULL, -- refs/heads/…
    head        TEXT   NOT NULL,
    base        TEXT   NOT NULL,
    base_branch TEXT   NOT NULL, -- refs/heads/…: whose policy counts
    open        BIGINT NOT NULL, -- 0 or 1
    touched_ms  BIGINT NOT NULL,
    PRIMARY KEY (repository, branch)
);

CREATE INDEX tips_open ON tips (repository, head) WHERE open = 1;
CREATE INDEX tips_touched ON tips (touched_ms);
