-- Signatures of gateways: see internal/signature. A gateway gets a number, by which its
-- record in the log is found.

-- +goose Up
ALTER TABLE gateways ADD COLUMN id BIGINT NOT NULL DEFAULT 0;
ALTER TABLE gateways ADD COLUMN mac BYTEA;
ALTER TABLE gateways ADD COLUMN key_id VARCHAR(12) NOT NULL DEFAULT '';
UPDATE gateways SET id = n.number
FROM (SELECT code, ROW_NUMBER() OVER (ORDER BY code) AS number FROM gateways) n
WHERE gateways.code = n.code;
CREATE UNIQUE INDEX gateways_id ON gateways (id);

-- +goose Down
DROP INDEX gateways_id;
ALTER TABLE gateways DROP COLUMN key_id;
ALTER TABLE gateways DROP COLUMN mac;
ALTER TABLE gateways DROP COLUMN id;
