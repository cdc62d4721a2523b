#!lua
-- Writes the live part of a promotion into this partition. Version-monotonic: an older or equal version changes nothing,
-- so a delivery may be repeated and may come late (LEDGER rule 9).
--
-- KEYS
--   1  stream
--   2  partition meta
--   3  promotion record
--   4  index of promotions
-- ARGV
--   1  promotion id
--   2  ref, in decimal
--   3  version, in decimal
--   4  live definition (live-definition.ts)
--   5  the whole promotion, as stored in Postgres
--   6  units granted to this partition, in decimal; '' = unlimited
-- Reply
--   'C' when the partition is closed for this server; otherwise
--   { applied 0 | 1, seq of the record's last definition, issued }, both in decimal text

--@include partition
--@include events

local stream, meta, record, index = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local id, ref, version, definition, body, granted = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4], ARGV[5], ARGV[6]

local partition = open_partition(meta)
if not partition then return 'C' end

local stored = redis.call('HMGET', record, 'd', 'issued', '@')
local known = redis.call('HGET', index, id)
if known and known ~= ref then return redis.error_reply('ID_TAKEN promotion id belongs to another ref') end
local issued = stored[2] or '0'
if stored[1] and struct.unpack('>I4', stored[1], 4) >= version then
  return { 0, string.format('%d', struct.unpack('>I6', stored[3])), issued }
end

local zero = sequence_of(0, '')
local event = struct.pack('>BBBBc0B', KIND_DEFINED, 2, TARGET_PROMOTION, #ref, ref, 5)
  .. encode_field('d', definition) .. encode_field('body', body) .. encode_field('issued', issued)
  .. encode_field('received', granted) .. encode_field('@', zero)
  .. struct.pack('>BBB', TARGET_INDEX, 0, 1) .. encode_field(id, ref)
local seq = append_entry(stream, meta, partition, { event })
redis.call('HSET', record, 'd', definition, 'body', body, 'issued', issued, 'received', granted, '@', sequence_of(seq, ''))
redis.call('HSET', index, id, ref)
return { 1, string.format('%d', seq), issued }
