-- migrate:up

-- Which history of the ledger is in force. A history (generation) is made for a number of partitions and keeps it; a
-- rebuild of Redis makes the next one. One is 'current' at most: while the next one is 'building' none is, and no
-- process serves. One that was not built to its end is 'abandoned', and its number is not used again.
CREATE TABLE ledger_generation (
  generation integer     PRIMARY KEY CHECK (generation > 0),
  -- NULL = its first archive process has not started yet.
  partitions integer     CHECK (partitions BETWEEN 1 AND 64),
  state      text        NOT NULL CHECK (state IN ('building', 'current', 'closed', 'abandoned')),
  -- Why there is this generation.
  reason     text        NOT NULL,
  made_at    timestamptz NOT NULL DEFAULT now(),
  closed_at  timestamptz
);
CREATE UNIQUE INDEX ledger_generation_current ON ledger_generation (state) WHERE state = 'current';
INSERT INTO ledger_generation (generation, partitions, state, reason)
SELECT 1, max(partition) + 1, 'current', 'the first one' FROM ledger_cursor WHERE generation = 1;

-- The two figures of a wallet that its coupons do not tell, as the last event of the coupon left them, so that Redis can be
-- rebuilt from the projections alone: how many coupons of the promotion the user has had for life, and the wallet's running
-- count of live coupons. NULL = archived before these columns were there.
ALTER TABLE coupon ADD COLUMN claims bigint;
ALTER TABLE coupon ADD COLUMN live   integer;

-- Entries that are in no log: Redis had dropped them before a Postgres restored to an older state could have them. What they
-- did is in the projections all the same, because those were read from Redis; their history is lost. A rebuild that found
-- nothing missing has a row with `to_seq` before `from_seq`.
CREATE TABLE ledger_hole (
  id          bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  generation  integer     NOT NULL,
  partition   integer     NOT NULL,
  -- First and last missing entry.
  from_seq    bigint      NOT NULL,
  to_seq      bigint      NOT NULL CHECK (to_seq >= from_seq - 1),
  -- Events in them.
  events      bigint      NOT NULL,
  -- The entry from which on the log carries everything Redis held, and so tells all again; NULL = not done yet.
  carried_seq bigint,
  noted_at    timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ledger_hole_by_place ON ledger_hole (generation, partition);

-- migrate:down

DROP TABLE ledger_hole;
ALTER TABLE coupon DROP COLUMN live;
ALTER TABLE coupon DROP COLUMN claims;
DROP TABLE ledger_generation;
