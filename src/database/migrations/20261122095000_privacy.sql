-- migrate:up

-- What identifies a person. Nothing here can be read without the key in the configuration.
CREATE TABLE user_profile (
  user_id      text        PRIMARY KEY,
  -- Keyed digest of the normalised number, for look-up; NULL = not known.
  phone_digest bytea,
  -- Encrypted; NULL = not known.
  phone        bytea,
  name         bytea,
  updated_at   timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX user_profile_by_phone ON user_profile (phone_digest, updated_at) WHERE phone_digest IS NOT NULL;

-- Users who were erased, by whom and why: the audit of it. Nothing about them is taken in any more.
CREATE TABLE erasure (
  user_id      text        PRIMARY KEY,
  request_id   text        NOT NULL CONSTRAINT erasure_request_is_unique UNIQUE,
  actor        text        NOT NULL,
  reason       text        NOT NULL,
  requested_at timestamptz NOT NULL DEFAULT now(),
  -- When the ledger forgot the user; NULL = not yet.
  erased_at    timestamptz,
  -- When nothing was left to do; NULL = a coupon is still held for an order, or a step failed.
  completed_at timestamptz
);
CREATE INDEX erasure_open ON erasure (requested_at) WHERE completed_at IS NULL;

-- migrate:down

DROP TABLE erasure;
DROP TABLE user_profile;
