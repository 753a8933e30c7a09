-- What registries said: the same table as migrations/sqlite, where it is explained.

CREATE TABLE evidence (
    kind     TEXT COLLATE "C" NOT NULL,
    key      TEXT COLLATE "C" NOT NULL,
    value    TEXT COLLATE "C" NOT NULL,
    at_ms    BIGINT NOT NULL,
    until_ms BIGINT NOT NULL,
    PRIMARY KEY (kind, key)
);

CREATE INDEX evidence_until ON evidence (until_ms);
CREATE INDEX evidence_at ON evidence (at_ms);
