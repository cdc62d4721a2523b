#!lua
-- Writes the live part of a promotion into this partition. Version-monotonic: an older or equal version changes nothing,
-- so a delivery may be repeated and may come late (LEDGER rule 9).
--
-- One partition is granted the whole quantity. One of several has a lease (rule 10): it stays, but closes where more is lent
-- than the new quantity: what the partition has not used goes back to the pool. A quantity that becomes limited leaves a
-- partition what it has issued, which was taken from no lease.
--
-- KEYS
--   1  stream
--   2  partition meta
--   3  promotion record
--   4  index of promotions
--   5  pool of the promotion; given only in its home partition, and where there are several
-- ARGV
--   1  promotion id
--   2  ref, in decimal
--   3  version, in decimal
--   4  live definition (live-definition.ts)
--   5  the whole promotion, as stored in Postgres
--   6  quantity of all partitions together, in decimal; '' = unlimited
--   7  number of partitions of the ledger, in decimal
--   8  '1' = the lease closes, '0' = only where the pool tells so
-- Reply
--   'C' when the partition is closed for this server; otherwise
--   { applied 0 | 1, seq of the record's last definition, issued, units the pool had lent (0 where it is not) }, all in decimal

--@include partition
--@include events

local stream, meta, record, index, pool = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local id, ref, version, definition, body, quantity = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4], ARGV[5], ARGV[6]
local closes = ARGV[8] == '1'

local partition = open_partition(meta, ARGV[7])
if not partition then return 'C' end

local stored = redis.call('HMGET', record, 'd', 'issued', '@', 'received', 'granted', 'back')
local lent = pool and redis.call('HGET', pool, 't') or '0'
local known = redis.call('HGET', index, id)
if known and known ~= ref then return redis.error_reply('ID_TAKEN promotion id belongs to another ref') end
-- A database that was restored to an older state may count refs anew: what another promotion has stays its own.
if stored[1] and not known then return redis.error_reply('REF_TAKEN ref belongs to another promotion') end
local issued = stored[2] or '0'
if stored[1] and struct.unpack('>I4', stored[1], 4) >= version then
  return { 0, string.format('%d', struct.unpack('>I6', stored[3])), issued, lent }
end

local fields = { 'd', definition, 'body', body, 'issued', issued }

-- The lease after this definition: fields and values in turn.
local function lease()
  if quantity == '' or ARGV[7] == '1' then return { 'received', quantity } end
  local granted, back, used = tonumber(stored[5] or '0'), tonumber(stored[6] or '0'), tonumber(issued)
  local was_limited = stored[4] and stored[4] ~= ''
  if was_limited and not closes and tonumber(lent) <= tonumber(quantity) then return { 'received', stored[4] } end
  granted = math.max(granted, back + used)
  return {
    'granted', string.format('%d', granted), 'back', string.format('%d', granted - used), 'received', issued,
  }
end
for _, part in ipairs(lease()) do fields[#fields + 1] = part end

local encoded = {}
for at = 1, #fields, 2 do encoded[#encoded + 1] = encode_field(fields[at], fields[at + 1]) end
encoded[#encoded + 1] = encode_field('@', sequence_of(0, ''))
local parts = {
  struct.pack('>BBBBc0B', KIND_DEFINED, pool and 3 or 2, TARGET_PROMOTION, #ref, ref, #encoded), table.concat(encoded),
  struct.pack('>BBB', TARGET_INDEX, 0, 1), encode_field(id, ref),
}
if pool then
  parts[#parts + 1] = struct.pack('>BBc0B', TARGET_POOL, #ref, ref, 1) .. encode_field('q', quantity)
end
local seq = append_entry(stream, meta, partition, { table.concat(parts) })
redis.call('HSET', record, '@', sequence_of(seq, ''), unpack(fields))
redis.call('HSET', index, id, ref)
if pool then redis.call('HSET', pool, 'q', quantity) end
return { 1, string.format('%d', seq), issued, lent }
