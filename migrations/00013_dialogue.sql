-- USSD sessions of *900#, which last three minutes. A dialogue is a session. The
-- table is logged, so that it survives a crash of the database: a repeated request
-- pays only once because it finds its session.

-- +goose Up
CREATE TABLE dialogues (
    id               VARCHAR(43) NOT NULL PRIMARY KEY, -- keyed hash of gateway, session and number
    turn             BIGINT      NOT NULL CHECK (turn = CAST(turn AS BIGINT)), -- grows with each answer
    heard_length     BIGINT      NOT NULL CHECK (heard_length = CAST(heard_length AS BIGINT)),
    heard_hash       VARCHAR(43) NOT NULL, -- keyed hash of the last input; the text is not stored
    heard_ms         BIGINT      NOT NULL, -- Unix time in milliseconds, as all times here
    content          TEXT        NOT NULL, -- step and screen, encrypted with the server's key
    claim            BIGINT      NOT NULL, -- lease of the request that computes the next answer; 0: none
    claimed_until_ms BIGINT      NOT NULL,
    began_ms         BIGINT      NOT NULL,
    ends_ms          BIGINT      NOT NULL
);
CREATE INDEX dialogues_ends ON dialogues (ends_ms);

-- +goose Down
DROP TABLE dialogues;
