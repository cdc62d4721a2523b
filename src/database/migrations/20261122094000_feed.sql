-- migrate:up

-- The outbound feed: who is sent events, how far each is, and what could not be sent.

CREATE TABLE webhook (
  id              text        PRIMARY KEY,
  url             text        NOT NULL,
  -- Numbers of the contract's enum; empty = all.
  kinds           integer[]   NOT NULL,
  is_enabled      boolean     NOT NULL,
  -- The secret of the signatures, encrypted.
  secret          bytea       NOT NULL,
  -- Everything up to here was taken or became a dead letter.
  cursor          text        NOT NULL,
  -- End of the batch that failed; it is sent again as it was. NULL = the last one did not fail.
  failing_until   text,
  -- Time of the oldest event of that batch.
  failing_since   timestamptz,
  attempts        integer     NOT NULL DEFAULT 0,
  next_attempt_at timestamptz NOT NULL DEFAULT now(),
  last_error      text        NOT NULL DEFAULT '',
  created_by      text        NOT NULL,
  created_at      timestamptz NOT NULL DEFAULT now(),
  updated_at      timestamptz NOT NULL DEFAULT now(),
  deleted_at      timestamptz
);
CREATE INDEX webhook_by_age ON webhook (created_at, id) WHERE deleted_at IS NULL;

-- A write is its own idempotency record: the row is inserted by the statement that carries the write out.
CREATE TABLE webhook_request (
  method         text        NOT NULL,
  request_id     text        NOT NULL,
  content_digest bytea       NOT NULL,
  webhook_id     text        NOT NULL,
  at             timestamptz NOT NULL DEFAULT now(),
  CONSTRAINT webhook_request_is_unique PRIMARY KEY (method, request_id)
);

CREATE TABLE dead_letter (
  id           bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  webhook_id   text        NOT NULL REFERENCES webhook (id),
  user_id      text        NOT NULL,
  -- hongbao.v1.FeedEvent in binary form.
  event        bytea       NOT NULL,
  attempts     integer     NOT NULL,
  failed_at    timestamptz NOT NULL DEFAULT now(),
  last_error   text        NOT NULL,
  -- Somebody asked for it to be sent again.
  retry_at     timestamptz,
  delivered_at timestamptz
);
CREATE INDEX dead_letter_by_webhook ON dead_letter (webhook_id, id) WHERE delivered_at IS NULL;
CREATE INDEX dead_letter_to_retry ON dead_letter (retry_at) WHERE retry_at IS NOT NULL AND delivered_at IS NULL;
CREATE INDEX dead_letter_by_user ON dead_letter (user_id);

-- Readers of the feed inside the product, such as the message adapter.
CREATE TABLE feed_reader (
  name       text        PRIMARY KEY,
  cursor     text        NOT NULL,
  updated_at timestamptz NOT NULL DEFAULT now()
);

-- migrate:down

DROP TABLE feed_reader;
DROP TABLE dead_letter;
DROP TABLE webhook_request;
DROP TABLE webhook;
