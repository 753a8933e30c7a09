-- Looking for what was lost: repositories to be looked through for commits without a
-- result, chores that are done every so often, and deliveries that were asked for again.

CREATE TABLE surveys (
    installation BIGINT NOT NULL,
    repository   BIGINT NOT NULL,           -- 0: which repositories there are
    owner        TEXT   NOT NULL,
    name         TEXT   NOT NULL,
    wanted       BIGINT NOT NULL DEFAULT 1, -- raised by each wish
    first_run    BIGINT NOT NULL,           -- 1: the default branch is to have a run
    again        BIGINT NOT NULL,           -- 1: what has a result is judged again too
    base         TEXT   NOT NULL,           -- the branch whose pull requests are meant; empty: all
    due_ms       BIGINT NOT NULL,           -- may be claimed from then on (leased: the lease's end)
    attempts     BIGINT NOT NULL DEFAULT 0,
    lease        TEXT,
    PRIMARY KEY (installation, repository)
);

CREATE INDEX surveys_due ON surveys (due_ms);

CREATE TABLE chores (
    name    TEXT   NOT NULL PRIMARY KEY,
    due_ms  BIGINT NOT NULL, -- may be claimed from then on
    done_ms BIGINT NOT NULL  -- when the last one that ended well began
);

CREATE TABLE redeliveries (
    guid       TEXT   NOT NULL PRIMARY KEY,
    asked      BIGINT NOT NULL, -- how often
    touched_ms BIGINT NOT NULL
);

CREATE INDEX redeliveries_touched ON redeliveries (touched_ms);
