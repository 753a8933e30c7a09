-- The queue of judgements, and what it is made of. Types and statements are the
-- part of SQL that SQLite and PostgreSQL share; times are milliseconds since 1970.

-- One row per repository and head: what is wanted, what is done, who is at it.
CREATE TABLE heads (
    repository        BIGINT NOT NULL,
    head              TEXT   NOT NULL,
    installation      BIGINT NOT NULL,
    owner             TEXT   NOT NULL,
    name              TEXT   NOT NULL,
    wanted            BIGINT NOT NULL,           -- the generation that events ask for
    done              BIGINT NOT NULL DEFAULT 0, -- the generation that was judged
    failed            BIGINT NOT NULL DEFAULT 0, -- the generation given up for good, until one succeeds
    announce          BIGINT NOT NULL DEFAULT 0, -- the generation that wants a queued run first; 0: none
    wanted_since_ms   BIGINT NOT NULL,           -- the oldest event that no judgement has answered
    raised_since_ms   BIGINT,                    -- the oldest event since the lease was taken
    due_ms            BIGINT,                    -- may be claimed from then on (leased: the lease's end); NULL: nothing is wanted
    attempts          BIGINT NOT NULL DEFAULT 0,
    lease             TEXT,
    leased_generation BIGINT,
    run_id            BIGINT,
    run_conclusion    TEXT,
    last_error        TEXT,
    touched_ms        BIGINT NOT NULL,
    PRIMARY KEY (repository, head)
);

CREATE INDEX heads_due ON heads (installation, due_ms) WHERE due_ms IS NOT NULL;

-- Where a pull request points, as far as we were told.
CREATE TABLE pulls (
    repository BIGINT  NOT NULL,
    number     BIGINT  NOT NULL,
    head       TEXT    NOT NULL,
    open       BIGINT  NOT NULL, -- 0 or 1
    touched_ms BIGINT  NOT NULL,
    PRIMARY KEY (repository, number)
);

CREATE INDEX pulls_open ON pulls (repository, head, number) WHERE open = 1;

-- The deliveries taken, and the judgement that each of them asked for.
CREATE TABLE deliveries (
    guid        TEXT   NOT NULL PRIMARY KEY,
    received_ms BIGINT NOT NULL,
    repository  BIGINT NOT NULL,
    head        TEXT   NOT NULL,
    generation  BIGINT NOT NULL
);

CREATE INDEX deliveries_received ON deliveries (received_ms);

-- The comment that we keep on a pull request.
CREATE TABLE comments (
    repository BIGINT NOT NULL,
    number     BIGINT NOT NULL,
    comment    BIGINT NOT NULL,
    PRIMARY KEY (repository, number)
);

-- What is known of an installation.
CREATE TABLE installations (
    installation             BIGINT NOT NULL PRIMARY KEY,
    served                   BIGINT NOT NULL DEFAULT 0, -- the number of the last claim it was given
    organisation_policy_seen BIGINT NOT NULL DEFAULT 0  -- 0 or 1
);

CREATE INDEX installations_served ON installations (served);
