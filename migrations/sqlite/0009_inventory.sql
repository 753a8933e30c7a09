-- What stands on the default branches: which of them are to be read (again), and the
-- images that were found there.

CREATE TABLE inventories (
    repository   BIGINT NOT NULL PRIMARY KEY,
    installation BIGINT NOT NULL,
    owner        TEXT   NOT NULL,
    name         TEXT   NOT NULL,
    wanted       BIGINT NOT NULL DEFAULT 1, -- raised by each wish
    due_ms       BIGINT,                    -- may be claimed from then on (leased: the lease's end); NULL: nothing is wanted
    attempts     BIGINT NOT NULL DEFAULT 0,
    lease        TEXT,
    branch       TEXT   NOT NULL DEFAULT '', -- refs/heads/…: the default branch
    head         TEXT   NOT NULL DEFAULT '', -- the commit that was read; empty: none was
    read_ms      BIGINT NOT NULL DEFAULT 0   -- when that branch was last seen to stand there
);

CREATE INDEX inventories_due ON inventories (due_ms) WHERE due_ms IS NOT NULL;
CREATE INDEX inventories_installation ON inventories (installation);

CREATE TABLE inventory (
    repository BIGINT NOT NULL,
    image      TEXT   NOT NULL, -- in full: docker.io/library/node:24@sha256:…
    digest     TEXT   NOT NULL, -- empty: it is not pinned
    file       TEXT   NOT NULL, -- where it stands first
    line       BIGINT NOT NULL,
    uses       BIGINT NOT NULL, -- how often it stands there
    PRIMARY KEY (repository, image)
);

CREATE INDEX inventory_digest ON inventory (digest) WHERE digest <> '';
