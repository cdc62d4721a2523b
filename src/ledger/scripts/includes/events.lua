-- The stream entry and its events; the layout is told in event-format.ts. Nothing here can fail after the XADD.
--
-- append_entry(stream, meta, partition, events) -> seq
--   events: array of encoded events. Writes the entry first, then the partition's clock and counter.
-- sequence_of(seq, rest): the value of a record's '@' field: u48 seq, then `rest`.
-- encode_field(name, value), encode_removed(name): a field's new value, or that the field is gone.
local KIND_OPENED, KIND_DEFINED, KIND_CLAIMED, KIND_HIDDEN = 1, 2, 3, 4
local KIND_RESERVED, KIND_COMMITTED, KIND_RELEASED, KIND_LAPSED, KIND_USED, KIND_RETURNED, KIND_REFUNDED = 5, 6, 7, 8, 9, 10, 11
local KIND_GRANTED, KIND_CODE_CLAIMED, KIND_EXCHANGED, KIND_EVENT_GRANTED, KIND_REVOKED = 12, 13, 14, 15, 16
local KIND_POINTS_EARNED, KIND_POINTS_REVERSED, KIND_POINTS_EXPIRED, KIND_POINTS_AWARDED = 17, 18, 19, 20
local KIND_FACTS_CHANGED, KIND_ERASED, KIND_RETIRED, KIND_ORDER_NOTED, KIND_LEASED = 21, 22, 23, 24, 25
local KIND_CLOSED, KIND_CARRIED = 26, 27
local TARGET_WALLET, TARGET_PROMOTION, TARGET_INDEX = 1, 2, 3
local TARGET_ORDER, TARGET_ACCOUNT, TARGET_USAGE, TARGET_DUE, TARGET_POOL = 4, 5, 6, 7, 8
local ENTRY_FORMAT = 2

local function sequence_of(seq, rest)
  return struct.pack('>I6', seq) .. rest
end

local function encode_field(name, value)
  return struct.pack('>Bc0I4c0', #name, name, #value, value)
end

local function encode_removed(name)
  return struct.pack('>Bc0', #name, name) .. '\255\255\255\255'
end

local function append_entry(stream, meta, partition, events)
  local total = partition.events + #events
  local header = struct.pack('>BI6I6I2', ENTRY_FORMAT, partition.now, total, #events)
  local id = redis.call('XADD', stream, partition.generation .. '-*', 'e', header .. table.concat(events))
  redis.call('HSET', meta, 'time', string.format('%d', partition.now), 'events', string.format('%d', total))
  return tonumber(string.match(id, '%-(%d+)$'))
end
