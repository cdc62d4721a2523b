-- migrate:up

-- Single-use codes, and the jobs that make them, give coupons to many users and take coupons back. What these rows say is
-- decided in Postgres; the coupons themselves are the ledger's.

-- A run of code making: generated here, or brought by an import. A job is its own idempotency record: its public id is
-- derived from the request id.
create table code_job (
  number integer generated always as identity primary key,
  job_id text not null constraint code_job_id_is_unique unique,
  kind text not null check (kind in ('generate', 'import')),
  promotion_ref integer not null references promotion (ref),
  -- SHA-256 of the request without its id; another content under the same id is refused.
  content_digest bytea not null,
  -- What each generated code begins with, and its letters after that, check letter included.
  prefix text not null,
  length smallint not null,
  total bigint not null,
  made bigint not null default 0,
  state text not null check (state in ('pending', 'running', 'done', 'cancelled')),
  created_by text not null,
  created_at timestamptz not null,
  finished_at timestamptz,
  -- After this the ciphertexts go and only digests are kept; null until the job is done.
  exportable_until timestamptz,
  -- The ciphertexts are gone.
  purged boolean not null default false
);
create index code_job_open on code_job (number) where state in ('pending', 'running');
create index code_job_to_purge on code_job (exportable_until) where not purged;

-- One row per code. The code itself is nowhere: `hash` is its keyed digest, by which it is found, `cipher` its ciphertext,
-- for the export.
create table promo_code (
  hash bytea primary key,
  promotion_ref integer not null,
  job integer not null,
  -- About its place in the job, for reading in pages; several codes may have the same.
  number integer not null,
  cipher bytea,
  state text not null default 'free' check (state in ('free', 'held', 'used')),
  -- Who holds or has used it; null while it is free.
  user_id text,
  -- The order it was typed for; null when it was taken into the wallet.
  order_id text,
  -- The claim that took it into the wallet; names the coupon together with the user.
  request_id text,
  -- Goes up with every attempt to make a coupon of it. Who unbinds a code must have made the last attempt.
  attempt integer not null default 0,
  coupon_id bytea,
  -- When somebody is to look what became of the hold; null while it is not held.
  hold_until timestamptz,
  used_at timestamptz
);
create index promo_code_by_job on promo_code (job, number);
create index promo_code_held on promo_code (hold_until) where state = 'held';
create unique index promo_code_claim_is_unique on promo_code (user_id, request_id) where request_id is not null;
create index promo_code_by_order on promo_code (user_id, order_id) where order_id is not null;

-- A job over many coupons: gives one to each recipient, or takes coupons back.
create table grant_job (
  number bigint generated always as identity primary key,
  job_id text not null constraint grant_job_id_is_unique unique,
  kind text not null check (kind in ('grant', 'revoke')),
  -- Null when coupons of any promotions were named one by one.
  promotion_ref integer references promotion (ref),
  content_digest bytea not null,
  state text not null check (state in ('pending', 'running', 'done', 'cancelled')),
  -- The filter of a grant to a segment; null for lists and revokes.
  segment jsonb,
  -- Its recipients are written down; a segment's or a whole promotion's are found when the job begins.
  prepared boolean not null,
  total bigint not null default 0,
  granted bigint not null default 0,
  refused bigint not null default 0,
  reason text not null,
  notify boolean not null,
  return_stock boolean not null,
  created_by text not null,
  created_at timestamptz not null,
  start_at timestamptz,
  finished_at timestamptz,
  cancel_request_id text constraint grant_job_cancel_is_unique unique,
  cancel_digest bytea
);
create index grant_job_open on grant_job (number) where state in ('pending', 'running');

-- What a job does to one user or coupon.
create table grant_recipient (
  job bigint not null references grant_job (number),
  position integer not null,
  user_id text not null,
  -- The coupon given, or the one to take back.
  coupon_id bytea,
  state text not null default 'pending' check (state in ('pending', 'done', 'refused')),
  -- Name of the reason, when it was refused.
  refusal text,
  -- A process works on it until then; afterwards another may.
  leased_until timestamptz,
  primary key (job, position)
);
create index grant_recipient_pending on grant_recipient (job, position) where state = 'pending';

-- migrate:down

drop table grant_recipient;
drop table grant_job;
drop table promo_code;
drop table code_job;
