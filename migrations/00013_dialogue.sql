-- Where the dialogues of *900# stand, for the three minutes of their lives. A
-- payment is repeated safely only by who finds its dialogue, so the table outlives
-- a crash of the database as the books do.

-- +goose Up
CREATE TABLE dialogues (
    id               VARCHAR(43) NOT NULL PRIMARY KEY, -- keyed hash of gateway, session and number
    turn             BIGINT      NOT NULL CHECK (turn = CAST(turn AS BIGINT)), -- grows with each answer
    heard_length     BIGINT      NOT NULL CHECK (heard_length = CAST(heard_length AS BIGINT)),
    heard_hash       VARCHAR(43) NOT NULL, -- keyed, of what was heard last; never the text itself
    heard_ms         BIGINT      NOT NULL, -- Unix time in milliseconds, as all times here
    content          TEXT        NOT NULL, -- step and screen, encrypted with the server's key
    claim            BIGINT      NOT NULL, -- who works at the next answer; 0: nobody
    claimed_until_ms BIGINT      NOT NULL,
    began_ms         BIGINT      NOT NULL,
    ends_ms          BIGINT      NOT NULL
);
CREATE INDEX dialogues_ends ON dialogues (ends_ms);

-- +goose Down
DROP TABLE dialogues;
