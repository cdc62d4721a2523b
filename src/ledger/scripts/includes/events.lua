-- The stream entry and its events; the layout is told in event-format.ts. Nothing here can fail after the XADD.
--
-- append_entry(stream, meta, partition, events) -> seq
--   events: array of encoded events. Writes the entry first, then the partition's clock and counter.
-- sequence_of(seq, rest): the value of a record's '@' field: u48 seq, then `rest`.
local KIND_OPENED, KIND_DEFINED, KIND_CLAIMED, KIND_HIDDEN = 1, 2, 3, 4
local TARGET_WALLET, TARGET_PROMOTION, TARGET_INDEX = 1, 2, 3

local function sequence_of(seq, rest)
  return struct.pack('>I6', seq) .. rest
end

local function encode_field(name, value)
  return struct.pack('>Bc0I4c0', #name, name, #value, value)
end

local function append_entry(stream, meta, partition, events)
  local total = partition.events + #events
  local header = struct.pack('>BI6I6I2', 1, partition.now, total, #events)
  local id = redis.call('XADD', stream, partition.generation .. '-*', 'e', header .. table.concat(events))
  redis.call('HSET', meta, 'time', string.format('%d', partition.now), 'events', string.format('%d', total))
  return tonumber(string.match(id, '%-(%d+)$'))
end
