-- What registries said, as each kind of fact writes it down: a restart, and another
-- replica, need not ask again.

CREATE TABLE evidence (
    kind     TEXT   NOT NULL, -- with the version of its form
    key      TEXT   NOT NULL,
    value    TEXT   NOT NULL,
    at_ms    BIGINT NOT NULL, -- when it was learnt
    until_ms BIGINT NOT NULL, -- may be forgotten from then on
    PRIMARY KEY (kind, key)
);

CREATE INDEX evidence_until ON evidence (until_ms);
CREATE INDEX evidence_at ON evidence (at_ms);
