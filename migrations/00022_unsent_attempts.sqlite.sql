-- An attempt that was never sent (no connection to the biller) has an outcome of its
-- own: unlike one that was answered as unfinished it can't have been booked. The
-- table is copied because SQLite can't change a CHECK in place.

-- +goose Up
CREATE TABLE payment_attempts_new (
    payment_id BIGINT       NOT NULL,
    number     BIGINT       NOT NULL,
    started_at TIMESTAMPTZ  NOT NULL,
    ended_at   TIMESTAMPTZ,
    outcome    VARCHAR(10)  CHECK (outcome IN ('good', 'refused', 'later', 'unsent', 'unknown')),
    result     BIGINT,
    reference  VARCHAR(64)  NOT NULL DEFAULT '',
    remark     VARCHAR(300) NOT NULL DEFAULT '',
    PRIMARY KEY (payment_id, number)
);
INSERT INTO payment_attempts_new (payment_id, number, started_at, ended_at, outcome, result, reference, remark)
    SELECT payment_id, number, started_at, ended_at, outcome, result, reference, remark FROM payment_attempts;
DROP TABLE payment_attempts;
ALTER TABLE payment_attempts_new RENAME TO payment_attempts;

-- +goose Down
CREATE TABLE payment_attempts_new (
    payment_id BIGINT       NOT NULL,
    number     BIGINT       NOT NULL,
    started_at TIMESTAMPTZ  NOT NULL,
    ended_at   TIMESTAMPTZ,
    outcome    VARCHAR(10)  CHECK (outcome IN ('good', 'refused', 'later', 'unknown')),
    result     BIGINT,
    reference  VARCHAR(64)  NOT NULL DEFAULT '',
    remark     VARCHAR(300) NOT NULL DEFAULT '',
    PRIMARY KEY (payment_id, number)
);
INSERT INTO payment_attempts_new (payment_id, number, started_at, ended_at, outcome, result, reference, remark)
    SELECT payment_id, number, started_at, ended_at, CASE WHEN outcome = 'unsent' THEN 'later' ELSE outcome END, result, reference, remark FROM payment_attempts;
DROP TABLE payment_attempts;
ALTER TABLE payment_attempts_new RENAME TO payment_attempts;
