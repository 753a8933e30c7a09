-- Looks at the images of the inventory: the same table as migrations/sqlite, where it is explained.

CREATE TABLE looks (
    installation BIGINT NOT NULL,
    image        TEXT COLLATE "C" NOT NULL,
    looked_ms    BIGINT NOT NULL,
    seen         TEXT COLLATE "C" NOT NULL,
    drift        TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (installation, image)
);
