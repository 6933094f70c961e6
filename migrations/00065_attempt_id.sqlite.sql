-- Gives an id to the attempts of before: the time of their start, as ids have it (22 bits
-- after the milliseconds since 2026), and a number within it.

-- +goose Up
UPDATE payment_attempts SET id = n.id
FROM (
    SELECT payment_id, number, (ms << 22) + ROW_NUMBER() OVER (PARTITION BY ms ORDER BY payment_id, number) - 1 AS id
    FROM (
        SELECT payment_id, number, MAX(CAST((julianday(started_at) - 2461041.5) * 86400000 AS INTEGER), 0) AS ms
        FROM payment_attempts WHERE id IS NULL
    )
) n
WHERE payment_attempts.payment_id = n.payment_id AND payment_attempts.number = n.number;

-- +goose Down
