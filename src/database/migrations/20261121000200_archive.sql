-- migrate:up

-- The archive: what the ledger's event stream leaves in Postgres. Every statement that writes here is fenced by the
-- cursor row, so an event is counted exactly once however often it is sent.

-- How far each partition is archived, and which process may move it. `seq` -1 = nothing yet.
CREATE TABLE ledger_cursor (
  generation    integer     NOT NULL,
  partition     integer     NOT NULL,
  seq           bigint      NOT NULL DEFAULT -1,
  -- Goes up with every change of owner; a statement of an earlier owner finds no row.
  epoch         bigint      NOT NULL DEFAULT 0,
  owner         text,
  lease_until   timestamptz,
  -- The bytes of entry `seq`: Redis must hold the very same ones before the partition opens.
  entry_payload bytea,
  -- Events up to and including entry `seq`.
  events_total  bigint      NOT NULL DEFAULT 0,
  updated_at    timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (generation, partition)
);

-- The event stream as it was, byte for byte. A second entry under a number that is taken is a fork and must fail.
CREATE TABLE event_log (
  generation  integer     NOT NULL,
  partition   integer     NOT NULL,
  seq         bigint      NOT NULL,
  entry_time  timestamptz NOT NULL,
  event_count integer     NOT NULL,
  payload     bytea       NOT NULL,
  -- False while an event of the entry waits in `quarantine`.
  projected   boolean     NOT NULL,
  PRIMARY KEY (generation, partition, seq)
) PARTITION BY RANGE (generation, partition, seq);
-- Payloads are binary and hardly compress; trying costs more than it saves.
ALTER TABLE event_log ALTER COLUMN payload SET STORAGE EXTERNAL;
-- Segments are made ahead by the archiver; this one only catches what came before its segment.
CREATE TABLE event_log_default PARTITION OF event_log DEFAULT;

-- One row per coupon: its state after event (generation, seq, event_index). The id starts with the issue time, so months
-- are ranges of ids.
CREATE TABLE coupon (
  -- Six bytes of issue time (ms since the epoch, big endian), then the 16 bytes of the wallet field.
  coupon_id         bytea       NOT NULL,
  user_id           text        NOT NULL,
  promotion_ref     integer     NOT NULL,
  promotion_version integer     NOT NULL,
  -- As written by the ledger; an unused coupon past `expires_at` reads as expired.
  state             text        NOT NULL,
  source            text        NOT NULL,
  issued_at         timestamptz NOT NULL,
  valid_from        timestamptz NOT NULL,
  -- The last instant the coupon is valid; NULL = no limit.
  expires_at        timestamptz,
  hidden            boolean     NOT NULL,
  -- The exact bytes of the wallet field in Redis.
  value             bytea       NOT NULL,
  generation        integer     NOT NULL,
  partition         integer     NOT NULL,
  seq               bigint      NOT NULL,
  event_index       integer     NOT NULL,
  -- Entry of the event that issued the coupon; -1 when the archive first met it in a later event.
  issued_seq        bigint      NOT NULL,
  PRIMARY KEY (coupon_id)
) PARTITION BY RANGE (coupon_id);
CREATE INDEX coupon_by_user ON coupon (user_id, coupon_id);
CREATE INDEX coupon_by_promotion ON coupon (promotion_ref, coupon_id);
CREATE TABLE coupon_default PARTITION OF coupon DEFAULT;

-- Issued and received units of a promotion in one partition of the ledger, as absolute figures after entry `seq`.
CREATE TABLE promotion_counter (
  promotion_ref integer NOT NULL,
  generation    integer NOT NULL,
  partition     integer NOT NULL,
  issued        bigint  NOT NULL,
  -- Units granted to the partition so far; NULL = unlimited.
  received      bigint,
  -- Entry that `issued` is after; -1 when only `received` is known.
  seq           bigint  NOT NULL,
  -- Entry that `received` is after; -1 when only `issued` is known.
  received_seq  bigint  NOT NULL,
  PRIMARY KEY (promotion_ref, generation, partition)
);

-- Every other field of the ledger's records that is not in a wallet, so that Redis can be rebuilt from projections alone.
-- Wallets need no table: their fields are the coupons and figures counted from them.
CREATE TABLE ledger_field (
  generation integer NOT NULL,
  partition  integer NOT NULL,
  -- 'promotion' or 'index'.
  target     text    NOT NULL,
  -- Ref of the promotion in decimal; empty for the index.
  id         text    NOT NULL,
  field      bytea   NOT NULL,
  value      bytea   NOT NULL,
  seq        bigint  NOT NULL,
  PRIMARY KEY (generation, partition, target, id, field)
);

-- What happened to a coupon after it was issued; the issue itself is told by its row in `coupon`.
CREATE TABLE coupon_history (
  coupon_id   bytea       NOT NULL,
  generation  integer     NOT NULL,
  partition   integer     NOT NULL,
  seq         bigint      NOT NULL,
  event_index integer     NOT NULL,
  kind        text        NOT NULL,
  at          timestamptz NOT NULL,
  PRIMARY KEY (coupon_id, generation, seq, event_index)
);

-- Events that are in the log and not in the projections: one that could not be projected, and those of the same subject
-- that came after it and wait their turn. An open row makes the audit fail.
CREATE TABLE quarantine (
  generation  integer     NOT NULL,
  partition   integer     NOT NULL,
  seq         bigint      NOT NULL,
  -- Place of the event in its entry; -1 when the entry as a whole could not be read.
  event_index integer     NOT NULL,
  -- `user:<id>`, `promotion:<ref>`, or empty when it cannot be told.
  subject     text        NOT NULL,
  error       text        NOT NULL,
  at          timestamptz NOT NULL DEFAULT now(),
  settled_at  timestamptz,
  PRIMARY KEY (generation, partition, seq, event_index)
);
CREATE INDEX quarantine_open ON quarantine (generation, partition, seq, event_index) WHERE settled_at IS NULL;

-- Ends the statement it is called from, so that a batch whose outcome is not the expected one leaves nothing behind. The
-- archiver tells the causes apart by the SQLSTATE.
CREATE FUNCTION archive_refuse(state text, reason text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION USING ERRCODE = state, MESSAGE = reason;
END
$$;

-- Makes one segment of a partitioned table unless it exists. It is built aside and attached: that lets readers and the
-- archiver's inserts go on, and gives up after two seconds instead of queueing everybody behind a long reader.
CREATE FUNCTION archive_attach_segment(parent text, segment text, bounds text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  IF to_regclass(segment) IS NOT NULL THEN
    RETURN false;
  END IF;
  PERFORM set_config('lock_timeout', '2000', true);
  EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL)', segment, parent);
  EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES %s', parent, segment, bounds);
  RETURN true;
END
$$;

-- The segment of the log that holds entries `from_seq` up to, not including, `to_seq`.
CREATE FUNCTION archive_ensure_log_segment(generation integer, partition integer, from_seq bigint, to_seq bigint)
RETURNS boolean LANGUAGE sql AS $$
  SELECT archive_attach_segment('event_log', format('event_log_g%s_p%s_%s', generation, partition, from_seq),
    format('FROM (%s, %s, %s) TO (%s, %s, %s)', generation, partition, from_seq, generation, partition, to_seq))
$$;

-- The segment of coupons whose ids lie between the two times, given as the six bytes an id starts with.
CREATE FUNCTION archive_ensure_coupon_segment(label text, from_id bytea, to_id bytea)
RETURNS boolean LANGUAGE sql AS $$
  SELECT archive_attach_segment('coupon', format('coupon_%s', label), format('FROM (%L) TO (%L)', from_id, to_id))
$$;

-- migrate:down

DROP FUNCTION archive_ensure_coupon_segment(text, bytea, bytea);
DROP FUNCTION archive_ensure_log_segment(integer, integer, bigint, bigint);
DROP FUNCTION archive_attach_segment(text, text, text);
DROP FUNCTION archive_refuse(text, text);
DROP TABLE quarantine;
DROP TABLE coupon_history;
DROP TABLE ledger_field;
DROP TABLE promotion_counter;
DROP TABLE coupon;
DROP TABLE event_log;
DROP TABLE ledger_cursor;
