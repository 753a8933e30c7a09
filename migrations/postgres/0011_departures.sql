-- Heads that a pull request left as an event says: one that came late may be older than what is known.

CREATE TABLE departures (
    repository BIGINT NOT NULL,
    head       TEXT   NOT NULL,
    number     BIGINT NOT NULL, -- of the pull request
    left_ms    BIGINT NOT NULL,
    PRIMARY KEY (repository, head, number)
);

CREATE INDEX departures_pull ON departures (repository, number);
CREATE INDEX departures_left ON departures (left_ms);
