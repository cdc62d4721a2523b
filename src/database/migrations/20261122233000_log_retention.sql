-- migrate:up

-- Segments of the log that are past its retention lie here as plain tables. The product neither reads nor drops them: the
-- operator dumps and drops them. Where roles are locked down, deploy/postgres/roles.sql makes the schema.
DO $$
BEGIN
  IF to_regnamespace('hongbao_detached') IS NULL AND has_database_privilege(current_database(), 'CREATE') THEN
    CREATE SCHEMA hongbao_detached;
  END IF;
END
$$;

-- The segments of the log by what they hold: entries `from_seq` up to, not including, `to_seq` of one partition. The default
-- one is none of them.
CREATE FUNCTION archive_log_segments()
RETURNS TABLE (segment text, generation integer, partition integer, from_seq bigint, to_seq bigint) LANGUAGE sql STABLE AS $$
  SELECT c.relname::text, bound[1]::integer, bound[2]::integer, bound[3]::bigint, bound[4]::bigint
  FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid
  CROSS JOIN LATERAL regexp_match(pg_get_expr(c.relpartbound, c.oid),
    'FROM \((\d+), (\d+), ''?(\d+)''?\) TO \(\d+, \d+, ''?(\d+)''?\)') AS bound
  WHERE inhparent = 'event_log'::regclass AND bound IS NOT NULL
$$;

-- Takes one segment out of the log, unless something speaks against it; says what became of it:
--   detached     it is a plain table in hongbao_detached, or nothing was in it and it is gone
--   young        its newest entry is not older than `before`
--   needed       it reaches to `below_seq` or beyond, which somebody still reads from
--   unarchived   it does not lie wholly below the cursor
--   quarantined  an event of it waits for its projection
--   follows      earlier entries are still in the log, which must stay without a gap
--   gone         there is no such segment
-- That no entry of it is left unprojected is for the caller to see beforehand, in steps: a segment is long, and while this
-- function waits for the locks of DETACH everybody waits behind it. So it waits half a second and gives up (lock_not_available).
-- CONCURRENTLY would wait without being in the way, and is refused while a table has a default segment.
CREATE FUNCTION archive_detach_log_segment(wanted text, before timestamptz, below_seq bigint)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  s record;
  newest timestamptz;
BEGIN
  SELECT * INTO s FROM archive_log_segments() AS segments WHERE segments.segment = wanted;
  IF NOT FOUND THEN
    RETURN 'gone';
  END IF;
  EXECUTE format('SELECT entry_time FROM %I ORDER BY seq DESC LIMIT 1', wanted) INTO newest;
  IF newest >= before THEN
    RETURN 'young';
  END IF;
  IF s.to_seq > below_seq THEN
    RETURN 'needed';
  END IF;
  IF NOT EXISTS (SELECT FROM ledger_cursor c
      WHERE c.generation = s.generation AND c.partition = s.partition AND c.seq >= s.to_seq) THEN
    RETURN 'unarchived';
  END IF;
  IF EXISTS (SELECT FROM quarantine q WHERE q.generation = s.generation AND q.partition = s.partition
      AND q.seq < s.to_seq AND q.settled_at IS NULL) THEN
    RETURN 'quarantined';
  END IF;
  IF EXISTS (SELECT FROM archive_log_segments() AS earlier
      WHERE earlier.generation = s.generation AND earlier.partition = s.partition AND earlier.from_seq < s.from_seq)
    OR EXISTS (SELECT FROM event_log_default d
      WHERE d.generation = s.generation AND d.partition = s.partition AND d.seq < s.to_seq) THEN
    RETURN 'follows';
  END IF;
  IF to_regnamespace('hongbao_detached') IS NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'invalid_schema_name',
      MESSAGE = 'there is no schema hongbao_detached for segments to go to: run deploy/postgres/roles.sql';
  END IF;
  PERFORM set_config('lock_timeout', '500', true);
  EXECUTE format('ALTER TABLE event_log DETACH PARTITION %I', wanted);
  -- An archiver that was held up for long may have made a segment again that is no longer needed: nothing is in it.
  IF newest IS NULL THEN
    EXECUTE format('DROP TABLE %I', wanted);
  ELSE
    EXECUTE format('ALTER TABLE %I SET SCHEMA hongbao_detached', wanted);
  END IF;
  RETURN 'detached';
END
$$;

-- migrate:down

DROP FUNCTION archive_detach_log_segment(text, timestamptz, bigint);
DROP FUNCTION archive_log_segments();
-- Fails while a segment is in it: what was detached is nobody's to drop but the operator's.
DROP SCHEMA IF EXISTS hongbao_detached;
