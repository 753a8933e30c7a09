-- What stands on the default branches: the same tables as migrations/sqlite, where each is explained.

CREATE TABLE inventories (
    repository   BIGINT NOT NULL PRIMARY KEY,
    installation BIGINT NOT NULL,
    owner        TEXT COLLATE "C" NOT NULL,
    name         TEXT COLLATE "C" NOT NULL,
    wanted       BIGINT NOT NULL DEFAULT 1,
    due_ms       BIGINT,
    attempts     BIGINT NOT NULL DEFAULT 0,
    lease        TEXT COLLATE "C",
    branch       TEXT COLLATE "C" NOT NULL DEFAULT '',
    head         TEXT COLLATE "C" NOT NULL DEFAULT '',
    read_ms      BIGINT NOT NULL DEFAULT 0
);

CREATE INDEX inventories_due ON inventories (due_ms) WHERE due_ms IS NOT NULL;
CREATE INDEX inventories_installation ON inventories (installation);

CREATE TABLE inventory (
    repository BIGINT NOT NULL,
    image      TEXT COLLATE "C" NOT NULL,
    digest     TEXT COLLATE "C" NOT NULL,
    file       TEXT COLLATE "C" NOT NULL,
    line       BIGINT NOT NULL,
    uses       BIGINT NOT NULL,
    PRIMARY KEY (repository, image)
);

CREATE INDEX inventory_digest ON inventory (digest) WHERE digest <> '';
