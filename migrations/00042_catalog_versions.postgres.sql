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
CREATE TRIGGER catalog_versions_append_only BEFORE UPDATE OR DELETE ON catalog_versions
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER catalog_versions_no_truncate BEFORE TRUNCATE ON catalog_versions
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- +goose Down
DROP TABLE catalog_versions;
