-- migrate:up

-- The stream ended at entry `seq` at this time of its server: everything recorded until then is archived, although nothing
-- happened meanwhile that an entry could tell. NULL = not seen yet.
ALTER TABLE ledger_cursor ADD COLUMN level_at timestamptz;

-- migrate:down

ALTER TABLE ledger_cursor DROP COLUMN level_at;
