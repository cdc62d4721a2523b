-- migrate:up

-- Jobs: work done at set times by one process at a time.

-- Which process leads. A process that has not renewed in time is replaced; the epoch goes up with every change, so that a
-- statement of an earlier leader finds nothing to change.
CREATE TABLE job_leader (
  only_row    boolean     PRIMARY KEY DEFAULT true CHECK (only_row),
  epoch       bigint      NOT NULL DEFAULT 0,
  owner       text,
  lease_until timestamptz
);
INSERT INTO job_leader DEFAULT VALUES;

-- The jobs there are, as the leader's release knows them.
CREATE TABLE job (
  name        text        PRIMARY KEY,
  description text        NOT NULL,
  -- NULL: it runs all the time, in short steps.
  cron        text,
  time_zone   text,
  every_ms    bigint,
  is_enabled  boolean     NOT NULL,
  -- NULL: it is not enabled, or runs all the time.
  next_run_at timestamptz
);

-- One row per run. Of jobs that run all the time only those runs that did something, failed or took long, and one now and
-- then as a sign of life.
CREATE TABLE job_run (
  id           bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  job          text        NOT NULL,
  trigger      text        NOT NULL CHECK (trigger IN ('schedule', 'manual')),
  -- Who asked for it; empty when its schedule did.
  actor        text        NOT NULL,
  request_id   text,
  state        text        NOT NULL CHECK (state IN ('waiting', 'running', 'done', 'failed', 'abandoned')),
  -- The leader's epoch; NULL while it waits for one.
  epoch        bigint,
  scheduled_at timestamptz NOT NULL,
  started_at   timestamptz,
  finished_at  timestamptz,
  -- Whole numbers by name.
  counts       jsonb       NOT NULL DEFAULT '{}',
  error        text        NOT NULL DEFAULT ''
);
-- A job never overlaps itself.
CREATE UNIQUE INDEX job_run_under_way ON job_run (job) WHERE state IN ('waiting', 'running');
CREATE UNIQUE INDEX job_run_by_request ON job_run (request_id) WHERE request_id IS NOT NULL;
CREATE INDEX job_run_by_job ON job_run (job, id);
CREATE INDEX job_run_by_age ON job_run (scheduled_at);

-- How far a job has come, where that outlives a run.
CREATE TABLE job_progress (
  name text        PRIMARY KEY,
  at   timestamptz NOT NULL
);

-- What time did to coupons, which no event of the ledger tells: they are about to expire, or have. Written by one job at a
-- time under a lock, so that the numbers are committed in order and a reader who knows one has seen all before it.
CREATE TABLE coupon_notice (
  id            bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  coupon_id     bytea       NOT NULL,
  kind          text        NOT NULL CHECK (kind IN ('expiring', 'expired')),
  user_id       text        NOT NULL,
  promotion_ref integer     NOT NULL,
  -- The last instant at which the coupon was valid when this was written.
  expires_at    timestamptz NOT NULL,
  noted_at      timestamptz NOT NULL DEFAULT now(),
  -- The newest entry of the log when this was written: whatever the notice builds on is at or before it.
  log_seq       bigint      NOT NULL,
  CONSTRAINT coupon_notice_is_unique UNIQUE (coupon_id, kind, expires_at)
);
-- A coupon whose date was moved is not announced twice.
CREATE UNIQUE INDEX coupon_notice_reminder ON coupon_notice (coupon_id) WHERE kind = 'expiring';
CREATE INDEX coupon_notice_by_promotion ON coupon_notice (promotion_ref, kind, expires_at);

-- Coupons by their last instant, for expiry, reminders and retention.
CREATE INDEX coupon_by_expiry ON coupon (expires_at, coupon_id) WHERE state = 'unused' AND NOT retired;
-- The few that came back from an order after their last instant.
CREATE INDEX coupon_back_too_late ON coupon (coupon_id)
  WHERE state IN ('unused', 'expired') AND expires_at < changed_at AND NOT retired;
-- Coupons whose life is over, and records of orders, by their last event; for retention.
CREATE INDEX coupon_by_end ON coupon (generation, partition, seq, coupon_id)
  WHERE state IN ('used', 'expired', 'revoked') AND NOT retired;
CREATE INDEX ledger_field_by_order_age ON ledger_field (generation, partition, seq, id)
  WHERE target = 'order' AND NOT retired;

-- migrate:down

DROP INDEX ledger_field_by_order_age;
DROP INDEX coupon_by_end;
DROP INDEX coupon_back_too_late;
DROP INDEX coupon_by_expiry;
DROP TABLE coupon_notice;
DROP TABLE job_progress;
DROP TABLE job_run;
DROP TABLE job;
DROP TABLE job_leader;
