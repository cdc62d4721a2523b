-- migrate:up

-- Definitions: what staff have written down about promotions. Every change is one statement that first takes the one
-- row of rule_set; changes are therefore committed in the order of the rule-set version, and a reader that asks for
-- "everything after version N" can never overlook one that commits later with a smaller number.
create table rule_set (
  only_row boolean primary key default true check (only_row),
  version bigint not null
);
insert into rule_set (version) values (0);

-- Short identities inside Redis and the archive; never shown, never reused. A sequence of its own, because the stored
-- body of the first version already holds its ref.
create sequence promotion_ref as integer;

create table promotion (
  ref integer primary key,
  id text not null constraint promotion_id_is_unique unique,
  version integer not null check (version > 0),
  -- The state set by hand. "Finished" because the window is over or the stock is gone is derived when reading.
  state text not null check (state in ('inactive', 'active', 'finished', 'deleted')),
  -- Copies out of the body of the current version, for searching; kinds are the numbers of the contract's enums.
  category smallint not null,
  way smallint not null,
  effect smallint not null,
  currency text not null,
  priority integer not null,
  tags text[] not null,
  -- Id, names and descriptions in lower case.
  searchable text not null,
  -- The last instant at which it can be claimed or newly used; null when there is none.
  window_ends_at timestamptz,
  -- Null means unlimited.
  quantity bigint,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  deleted_at timestamptz,
  -- The rule-set version that brought the current version of this promotion.
  rule_set_version bigint not null constraint promotion_rule_set_version_is_unique unique
);
create index promotion_by_priority on promotion (priority, ref);
create index promotion_by_tag on promotion using gin (tags);

create table promotion_version (
  ref integer not null references promotion (ref),
  version integer not null,
  -- hongbao.v1.Promotion in binary form, whole; read by the replay of decisions and by coupons of this version.
  body bytea not null,
  -- Who made it, as the token said.
  actor text not null,
  at timestamptz not null,
  -- Coupons of earlier versions take the effect and rules of this one.
  also_issued boolean not null,
  rule_set_version bigint not null,
  primary key (ref, version)
);

create table audit_entry (
  id bigint generated always as identity primary key,
  ref integer not null references promotion (ref),
  at timestamptz not null,
  actor text not null,
  action text not null,
  -- Null when there was none before.
  from_version integer,
  to_version integer not null,
  reason text not null,
  -- Paths of the contract, for example `stock.quantity`.
  changed_fields text[] not null,
  also_issued boolean not null,
  request_id text not null
);
create index audit_entry_by_promotion on audit_entry (ref, id);

-- A write is its own idempotency record: the row is inserted by the statement that carries the write out.
create table request_record (
  method text not null,
  request_id text not null,
  -- SHA-256 of the request without its id; another content under the same id is refused.
  content_digest bytea not null,
  ref integer not null references promotion (ref),
  -- The version this request led to; the answer is read from there.
  version integer not null,
  at timestamptz not null,
  constraint request_record_is_unique primary key (method, request_id)
);
create index request_record_by_age on request_record (at);

-- Definitions the ledger has not confirmed yet, one row per partition; the newest version replaces an older one.
create table definition_outbox (
  ref integer not null references promotion (ref),
  partition smallint not null,
  version integer not null,
  -- No process tries before this; taking a row moves it on, so that many processes share the work.
  next_attempt_at timestamptz not null,
  primary key (ref, partition)
);
create index definition_outbox_by_attempt on definition_outbox (next_attempt_at);

-- The last version each partition of the ledger has confirmed, and the stream entry that holds it.
create table definition_delivery (
  ref integer not null references promotion (ref),
  partition smallint not null,
  version integer not null,
  seq bigint not null,
  primary key (ref, partition)
);

-- migrate:down

drop table definition_delivery;
drop table definition_outbox;
drop table request_record;
drop table audit_entry;
drop table promotion_version;
drop table promotion;
drop sequence promotion_ref;
drop table rule_set;
