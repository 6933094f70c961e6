-- +goose Up
CREATE TABLE payment_list_lines (
    list_id     BIGINT NOT NULL,
    line        BIGINT NOT NULL CHECK (line = CAST(line AS BIGINT) AND line > 0),
    account     TEXT   NOT NULL,
    sum         TEXT   NOT NULL,
    state       TEXT   NOT NULL CHECK (state IN ('waiting', 'good', 'refused', 'paid', 'failed')),
    identifier  TEXT   NOT NULL DEFAULT '',
    payee       TEXT   NOT NULL DEFAULT '',
    amount      BIGINT NOT NULL DEFAULT 0 CHECK (amount = CAST(amount AS BIGINT) AND amount >= 0),
    fee         BIGINT NOT NULL DEFAULT 0 CHECK (fee = CAST(fee AS BIGINT) AND fee >= 0),
    draft_id    BIGINT NOT NULL DEFAULT 0 CHECK (draft_id = CAST(draft_id AS BIGINT)),
    reason      TEXT   NOT NULL DEFAULT '',
    reason_args TEXT   NOT NULL DEFAULT '',
    PRIMARY KEY (list_id, line)
);

-- +goose Down
DROP TABLE payment_list_lines;
