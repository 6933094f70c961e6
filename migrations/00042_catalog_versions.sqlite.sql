-- Each version of the catalog, as a file that can be imported again, with the member
-- of staff who imported it and its origin. Rows are never changed.

-- +goose Up
CREATE TABLE catalog_versions (
    version       BIGINT      NOT NULL PRIMARY KEY,
    content       TEXT        NOT NULL,
    put_at        TIMESTAMPTZ NOT NULL,
    staff         VARCHAR(60) NOT NULL,
    os_user       VARCHAR(60) NOT NULL,
    -- seed, import or restore; found: in force before versions were stored.
    origin        VARCHAR(10) NOT NULL,
    -- The version that a restore brought back, otherwise 0.
    restored_from BIGINT      NOT NULL
);
-- +goose StatementBegin
CREATE TRIGGER catalog_versions_no_update BEFORE UPDATE ON catalog_versions
BEGIN SELECT RAISE(ABORT, 'catalog_versions is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER catalog_versions_no_delete BEFORE DELETE ON catalog_versions
BEGIN SELECT RAISE(ABORT, 'catalog_versions is append-only'); END;
-- +goose StatementEnd

-- +goose Down
DROP TABLE catalog_versions;
