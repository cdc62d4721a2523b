-- migrate:up

-- Events of the shop as they were taken in. The row is committed before the caller is told that the event was taken; what
-- the event does is then driven until it is settled, by whoever holds the row, and by a job where that failed.
create table event_inbox (
  event_id text primary key,
  user_id text not null,
  -- The number of the event in the contract.
  kind smallint not null,
  -- The order the event is about; empty when it is about none.
  order_id text not null,
  occurred_at timestamptz not null,
  received_at timestamptz not null default now(),
  -- SHA-256 of the event without its id, phone and name; another content under the same id is refused.
  content_digest bytea not null,
  -- hongbao.v1.IngestEventRequest in binary form, without phone and name; null once settled.
  payload bytea,
  state text not null default 'received'
    check (state in ('received', 'waiting', 'failed', 'applied', 'ignored')),
  attempts integer not null default 1,
  -- Nobody tries before this; taking a row moves it on. Null once settled.
  next_attempt_at timestamptz,
  -- Why the last attempt failed; empty when it did not.
  last_error text not null default '',
  -- hongbao.v1.IngestEventResponse in binary form; null until settled.
  effects bytea,
  settled_at timestamptz,
  check ((settled_at is null) = (next_attempt_at is not null))
);
create index event_inbox_by_attempt on event_inbox (next_attempt_at) where next_attempt_at is not null;
create index event_inbox_waiting on event_inbox (user_id, order_id) where state = 'waiting';

-- Facts about users, copied out of the ledger so that users can be found by them.
create table user_facts (
  user_id text primary key,
  -- Of the facts in the ledger; an older copy never replaces a newer one.
  revision bigint not null,
  tags text[] not null,
  level text not null,
  registered_at timestamptz,
  orders_completed integer,
  birthday text not null,
  -- Month × 100 + day of the birthday.
  birthday_key smallint,
  -- Attributes by name.
  attributes jsonb not null,
  updated_at timestamptz not null default now()
);
create index user_facts_by_birthday on user_facts (birthday_key, user_id) where birthday_key is not null;
create index user_facts_by_tag on user_facts using gin (tags);

-- Birthdays that a promotion was already given for; only users whose facts changed since are looked at again.
create table birthday_issue (
  promotion_ref integer not null,
  birthday date not null,
  issued_until timestamptz not null,
  primary key (promotion_ref, birthday)
);

-- migrate:down

drop table birthday_issue;
drop table user_facts;
drop table event_inbox;
