-- The queue of judgements, and what it is made of: the same tables as migrations/sqlite,
-- where each is explained. Text is compared byte by byte, as SQLite does.

-- One row per repository and head: what is wanted, what is done, who is at it.
CREATE TABLE heads (
    repository        BIGINT NOT NULL,
    head              TEXT COLLATE "C" NOT NULL,
    installation      BIGINT NOT NULL,
    owner             TEXT COLLATE "C" NOT NULL,
    name              TEXT COLLATE "C" NOT NULL,
    wanted            BIGINT NOT NULL,
    done              BIGINT NOT NULL DEFAULT 0,
    failed            BIGINT NOT NULL DEFAULT 0,
    announce          BIGINT NOT NULL DEFAULT 0,
    wanted_since_ms   BIGINT NOT NULL,
    raised_since_ms   BIGINT,
    due_ms            BIGINT,
    attempts          BIGINT NOT NULL DEFAULT 0,
    lease             TEXT COLLATE "C",
    leased_generation BIGINT,
    run_id            BIGINT,
    run_conclusion    TEXT COLLATE "C",
    last_error        TEXT COLLATE "C",
    touched_ms        BIGINT NOT NULL,
    PRIMARY KEY (repository, head)
);

CREATE INDEX heads_due ON heads (installation, due_ms) WHERE due_ms IS NOT NULL;

-- Where a pull request points, as far as we were told.
CREATE TABLE pulls (
    repository BIGINT  NOT NULL,
    number     BIGINT  NOT NULL,
    head       TEXT COLLATE "C" NOT NULL,
    open       BIGINT  NOT NULL,
    touched_ms BIGINT  NOT NULL,
    PRIMARY KEY (repository, number)
);

CREATE INDEX pulls_open ON pulls (repository, head, number) WHERE open = 1;

-- The deliveries taken, and the judgement that each of them asked for.
CREATE TABLE deliveries (
    guid        TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    received_ms BIGINT NOT NULL,
    repository  BIGINT NOT NULL,
    head        TEXT COLLATE "C" NOT NULL,
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
    served                   BIGINT NOT NULL DEFAULT 0,
    organisation_policy_seen BIGINT NOT NULL DEFAULT 0
);

CREATE INDEX installations_served ON installations (served);

-- What SQLite calls so, as far as our statements use it: one row for each element of a JSON array.
CREATE FUNCTION json_each(elements TEXT) RETURNS TABLE (value JSONB)
LANGUAGE SQL IMMUTABLE PARALLEL SAFE
AS 'SELECT jsonb_array_elements(elements::jsonb)';
