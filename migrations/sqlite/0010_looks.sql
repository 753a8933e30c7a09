-- Looks at the images of the inventory: what was seen, and what is otherwise than it was.

CREATE TABLE looks (
    installation BIGINT NOT NULL,
    image        TEXT   NOT NULL,
    looked_ms    BIGINT NOT NULL,
    seen         TEXT   NOT NULL, -- JSON
    drift        TEXT   NOT NULL, -- JSON: a list
    PRIMARY KEY (installation, image)
);
