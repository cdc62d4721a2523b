-- migrate:up

-- The life of a coupon after its issue: orders that hold and use it, and points. Written by the archiver, in the same
-- fenced statement as everything else.

-- The order that holds or has used the coupon; NULL = none.
ALTER TABLE coupon ADD COLUMN order_id text;
-- Time of the last change of its state, by the ledger's clock; NULL = never changed since this column exists.
ALTER TABLE coupon ADD COLUMN changed_at timestamptz;
-- The coupon has left Redis for good; a rebuild does not bring it back.
ALTER TABLE coupon ADD COLUMN retired boolean NOT NULL DEFAULT false;

-- The order the change was about; NULL = none.
ALTER TABLE coupon_history ADD COLUMN order_id text;

-- The field has left Redis with its record; what it held last stays here, so that a late return finds it.
ALTER TABLE ledger_field ADD COLUMN retired boolean NOT NULL DEFAULT false;
-- Place of the event in entry `seq`.
ALTER TABLE ledger_field ADD COLUMN event_index integer NOT NULL DEFAULT 0;

-- One row per order: what its last event made of it. Money in minor units of `currency`.
CREATE TABLE redemption (
  user_id          text        NOT NULL,
  order_id         text        NOT NULL,
  -- 'reserved', 'committed', 'released', 'expired' or 'returned'.
  state            text        NOT NULL,
  -- The order's number in the shop; may be empty.
  order_number     text        NOT NULL,
  reserved_at      timestamptz,
  -- When the reservation lapses.
  due_at           timestamptz,
  committed_at     timestamptz,
  -- When it was released, expired or was returned.
  ended_at         timestamptz,
  currency         text        NOT NULL,
  -- Items and shipping before discounts.
  items_minor      bigint      NOT NULL,
  shipping_minor   bigint      NOT NULL,
  -- Off items and shipping together.
  discount_minor   bigint      NOT NULL,
  payable_minor    bigint      NOT NULL,
  refunded_minor   bigint      NOT NULL,
  rule_set_version bigint      NOT NULL,
  generation       integer     NOT NULL,
  partition        integer     NOT NULL,
  seq              bigint      NOT NULL,
  event_index      integer     NOT NULL,
  PRIMARY KEY (user_id, order_id)
);

-- Each use of a promotion by an order, with or without a coupon.
CREATE TABLE redemption_promotion (
  user_id           text        NOT NULL,
  order_id          text        NOT NULL,
  -- Place in the order's list of promotions, from 0.
  position          integer     NOT NULL,
  promotion_ref     integer     NOT NULL,
  promotion_version integer     NOT NULL,
  coupon_id         bytea,
  code              text,
  currency          text        NOT NULL,
  discount_minor    bigint      NOT NULL,
  -- The order's state, or 'returned' when this use was given back by itself.
  state             text        NOT NULL,
  reserved_at       timestamptz,
  committed_at      timestamptz,
  generation        integer     NOT NULL,
  partition         integer     NOT NULL,
  seq               bigint      NOT NULL,
  event_index       integer     NOT NULL,
  PRIMARY KEY (user_id, order_id, position)
);
CREATE INDEX redemption_promotion_by_time ON redemption_promotion (promotion_ref, committed_at);

-- What happened to an order, event by event.
CREATE TABLE redemption_history (
  user_id     text        NOT NULL,
  order_id    text        NOT NULL,
  generation  integer     NOT NULL,
  partition   integer     NOT NULL,
  seq         bigint      NOT NULL,
  event_index integer     NOT NULL,
  kind        text        NOT NULL,
  at          timestamptz NOT NULL,
  PRIMARY KEY (user_id, order_id, generation, seq, event_index)
);

-- Every transaction of points. The primary key read backwards is a user's history, newest first.
CREATE TABLE points_entry (
  user_id        text        NOT NULL,
  -- Running number of the user's transactions, from 1.
  number         bigint      NOT NULL,
  -- Signed: what came or went.
  points         bigint      NOT NULL,
  balance_after  bigint      NOT NULL,
  -- 'earn', 'spend', 'expire', 'reverse', 'return' or 'award'.
  type           text        NOT NULL,
  reason         text        NOT NULL,
  reference_type text        NOT NULL,
  reference_id   text        NOT NULL,
  at             timestamptz NOT NULL,
  generation     integer     NOT NULL,
  partition      integer     NOT NULL,
  seq            bigint      NOT NULL,
  PRIMARY KEY (user_id, number)
);

-- migrate:down

DROP TABLE points_entry;
DROP TABLE redemption_history;
DROP TABLE redemption_promotion;
DROP TABLE redemption;
ALTER TABLE ledger_field DROP COLUMN event_index;
ALTER TABLE ledger_field DROP COLUMN retired;
ALTER TABLE coupon_history DROP COLUMN order_id;
ALTER TABLE coupon DROP COLUMN retired;
ALTER TABLE coupon DROP COLUMN changed_at;
ALTER TABLE coupon DROP COLUMN order_id;
