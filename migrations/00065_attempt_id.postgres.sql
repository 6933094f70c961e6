-- Gives an id to the attempts of before: the time of their start, as ids have it (22 bits
-- after the milliseconds since 2026), and a number within it. Deliveries go on meanwhile:
-- the first update locks only rows that nothing else changes; the second, of those
-- without an outcome, is short. If it is interrupted, all of it is rolled back, and it
-- can be run again.
--
-- As a serializable transaction it would conflict with each delivery meanwhile.

-- +goose Up
SET TRANSACTION ISOLATION LEVEL READ COMMITTED;
SET LOCAL statement_timeout = 0;
UPDATE payment_attempts SET id = n.id
FROM (
    SELECT payment_id, number, (ms << 22) + ROW_NUMBER() OVER (PARTITION BY ms ORDER BY payment_id, number) - 1 AS id
    FROM (
        SELECT payment_id, number, GREATEST(CAST(EXTRACT(EPOCH FROM started_at) * 1000 AS BIGINT) - 1767225600000, 0) AS ms
        FROM payment_attempts WHERE id IS NULL AND outcome IS NOT NULL
    ) a
) n
WHERE payment_attempts.payment_id = n.payment_id AND payment_attempts.number = n.number AND payment_attempts.id IS NULL;
UPDATE payment_attempts SET id = n.id
FROM (
    SELECT payment_id, number, (ms << 22) + 2097152 + ROW_NUMBER() OVER (PARTITION BY ms ORDER BY payment_id, number) - 1 AS id
    FROM (
        SELECT payment_id, number, GREATEST(CAST(EXTRACT(EPOCH FROM started_at) * 1000 AS BIGINT) - 1767225600000, 0) AS ms
        FROM payment_attempts WHERE id IS NULL
    ) a
) n
WHERE payment_attempts.payment_id = n.payment_id AND payment_attempts.number = n.number AND payment_attempts.id IS NULL;

-- +goose Down
