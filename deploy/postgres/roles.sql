-- The roles of the product in Postgres, and what each may do. Run it as the administrator of the database: once before the
-- first `hongbao migrate`, which makes the roles, and again after every one, which extends the grants to new tables. It may be
-- run at any time; it changes nothing that is right already.
--
--   psql -v ON_ERROR_STOP=1 -f deploy/postgres/roles.sql "$ADMIN_URL"
--
-- Passwords are set apart (ALTER ROLE … PASSWORD, with password_encryption = scram-sha-256), so that none is in a file.
--
--   hongbao_migrator  owns the schema; `migrate` and `rebuild` use it, nothing that runs all day does
--   hongbao_service   `serve`: reads, writes what staff and events change; the archive it only reads
--   hongbao_archiver  `archive`: writes the archive and runs the jobs
--   hongbao_reader    `audit` and people: reads, without what is known about persons and without secrets
--
-- Append-only: the log of events, the histories, the versions of promotions and the audit log of staff. No role but the owner
-- may change or delete a row of them; the archiver may say of an entry that it was projected after all.

DO $$
DECLARE
  wanted text;
BEGIN
  FOREACH wanted IN ARRAY ARRAY['hongbao_migrator', 'hongbao_service', 'hongbao_archiver', 'hongbao_reader'] LOOP
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) THEN
      EXECUTE format('CREATE ROLE %I LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION', wanted);
    END IF;
  END LOOP;
  EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
  EXECUTE format('GRANT CONNECT ON DATABASE %I TO hongbao_migrator, hongbao_service, hongbao_archiver, hongbao_reader',
    current_database());
END
$$;

REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT CREATE, USAGE ON SCHEMA public TO hongbao_migrator;
GRANT USAGE ON SCHEMA public TO hongbao_service, hongbao_archiver, hongbao_reader;
-- Where segments of the log go when their retention is over: the owner dumps and drops them, nobody else sees them.
CREATE SCHEMA IF NOT EXISTS hongbao_detached AUTHORIZATION hongbao_migrator;

DO $$
DECLARE
  -- Written by the archiver alone; rows of them change as the ledger does.
  archive constant text[] := ARRAY['ledger_cursor', 'ledger_generation', 'ledger_hole', 'coupon', 'promotion_counter',
    'ledger_field', 'quarantine', 'redemption', 'redemption_promotion', 'points_entry'];
  -- Written by the archiver alone, and never changed.
  history constant text[] := ARRAY['event_log', 'coupon_history', 'redemption_history'];
  -- Written by both, and never changed.
  record constant text[] := ARRAY['promotion_version', 'audit_entry'];
  -- What is known about persons, and secrets.
  secret constant text[] := ARRAY['user_profile', 'webhook', 'promo_code', 'event_inbox'];
  name text;
BEGIN
  FOR name IN
    SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
      AND NOT relispartition AND relname <> 'schema_migrations'
  LOOP
    EXECUTE format('REVOKE ALL ON %I FROM hongbao_service, hongbao_archiver, hongbao_reader', name);
    EXECUTE format('GRANT SELECT ON %I TO hongbao_service, hongbao_archiver', name);
    IF name <> ALL (secret) THEN
      EXECUTE format('GRANT SELECT ON %I TO hongbao_reader', name);
    END IF;
    IF name = ANY (record) THEN
      EXECUTE format('GRANT INSERT ON %I TO hongbao_service, hongbao_archiver', name);
    ELSIF name = ANY (history) THEN
      EXECUTE format('GRANT INSERT ON %I TO hongbao_archiver', name);
    ELSIF name = ANY (archive) THEN
      EXECUTE format('GRANT INSERT, UPDATE, DELETE ON %I TO hongbao_archiver', name);
    ELSE
      EXECUTE format('GRANT INSERT, UPDATE, DELETE ON %I TO hongbao_service, hongbao_archiver', name);
    END IF;
  END LOOP;

  IF to_regclass('public.event_log') IS NULL THEN
    RETURN;
  END IF;
  GRANT UPDATE (projected) ON event_log TO hongbao_archiver;
  -- Whoever comes first states how many partitions a new generation has.
  GRANT UPDATE (partitions) ON ledger_generation TO hongbao_service;
  -- New segments belong to the owner of the schema, so that whoever writes into them cannot drop them.
  ALTER FUNCTION archive_ensure_log_segment(integer, integer, bigint, bigint)
    SECURITY DEFINER SET search_path = public, pg_temp;
  ALTER FUNCTION archive_ensure_coupon_segment(text, bytea, bytea)
    SECURITY DEFINER SET search_path = public, pg_temp;
  IF to_regprocedure('archive_detach_log_segment(text, timestamptz, bigint)') IS NOT NULL THEN
    ALTER FUNCTION archive_detach_log_segment(text, timestamptz, bigint)
      SECURITY DEFINER SET search_path = public, pg_temp;
  END IF;
  -- Whoever adds an entry to staff's audit log neither numbers nor hashes it.
  ALTER FUNCTION audit_entry_chain() SECURITY DEFINER SET search_path = public, pg_temp;
  REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA public FROM PUBLIC;
  GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO hongbao_archiver;
  GRANT EXECUTE ON FUNCTION audit_entry_hash(bytea, audit_entry) TO hongbao_reader;
  REVOKE EXECUTE ON FUNCTION archive_attach_segment(text, text, text) FROM hongbao_archiver;
END
$$;

GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO hongbao_service, hongbao_archiver;
