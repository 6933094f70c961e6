-- The branches of the log. After a restore to an earlier moment a new branch continues
-- the tree from there; its signed note has the reason and the head that was lost. The
-- note is also a leaf of the log, under the row's id. Rows are never changed.

-- +goose Up
CREATE TABLE log_branches (
    number     BIGINT      NOT NULL PRIMARY KEY,
    id         BIGINT      NOT NULL,
    note       TEXT        NOT NULL,
    started_at TIMESTAMPTZ NOT NULL
);

-- +goose Down
DROP TABLE log_branches;
