-- migrate:up

-- Each entry of staff's audit log carries a hash of itself and of the one before it, so that no entry can be changed, left
-- out or put in between unseen, not even by who owns the schema; `hongbao audit` follows the chain and tells its newest
-- hash, which is what to keep elsewhere against an end that was cut off.
ALTER TABLE audit_entry ADD COLUMN hash bytea;

CREATE FUNCTION audit_entry_hash(previous bytea, entry audit_entry) RETURNS bytea
LANGUAGE sql IMMUTABLE AS $$
  SELECT sha256(previous || convert_to(jsonb_build_array(
    entry.id, entry.ref, (extract(epoch FROM entry.at) * 1000000)::bigint, entry.actor, entry.action, entry.from_version,
    entry.to_version, entry.reason, to_jsonb(entry.changed_fields), entry.also_issued, entry.request_id)::text, 'UTF8'))
$$;

CREATE FUNCTION audit_entry_chain() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
  -- One at a time, until it is committed: the number is given and the one before is read under the lock.
  PERFORM pg_advisory_xact_lock(7317002);
  NEW.id := nextval(pg_get_serial_sequence('audit_entry', 'id'));
  NEW.hash := audit_entry_hash(
    coalesce((SELECT hash FROM audit_entry ORDER BY id DESC LIMIT 1), '\x'::bytea), NEW);
  RETURN NEW;
END
$$;

DO $$
DECLARE
  one audit_entry;
  previous bytea := '\x';
BEGIN
  FOR one IN SELECT * FROM audit_entry ORDER BY id LOOP
    previous := audit_entry_hash(previous, one);
    UPDATE audit_entry SET hash = previous WHERE id = one.id;
  END LOOP;
END
$$;

ALTER TABLE audit_entry ALTER COLUMN hash SET NOT NULL;
CREATE TRIGGER audit_entry_chain BEFORE INSERT ON audit_entry FOR EACH ROW EXECUTE FUNCTION audit_entry_chain();

-- migrate:down

DROP TRIGGER audit_entry_chain ON audit_entry;
DROP FUNCTION audit_entry_chain();
DROP FUNCTION audit_entry_hash(bytea, audit_entry);
ALTER TABLE audit_entry DROP COLUMN hash;
