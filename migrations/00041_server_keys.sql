-- A check value for each key that the data depends on: a keyed hash under the
-- key itself. The highest id of a name is the current key.

-- +goose Up
CREATE TABLE server_keys (
    name        VARCHAR(20) NOT NULL,
    id          BIGINT      NOT NULL,
    check_value VARCHAR(64) NOT NULL,
    created_at  TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (name, id)
);

-- +goose Down
DROP TABLE server_keys;
