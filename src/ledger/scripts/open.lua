#!lua
-- Opens the partition for one server process; starts the generation when the partition is new (LEDGER rule 15).
--
-- KEYS
--   1  stream
--   2  partition meta
-- ARGV
--   1  run id of the server the caller examined
--   2  generation, in decimal
-- Reply 1 opened, 0 another server process answers now: examine again

--@include events

local stream, meta = KEYS[1], KEYS[2]
local run_id, generation = ARGV[1], ARGV[2]
if string.match(redis.call('INFO', 'server'), 'run_id:(%x+)') ~= run_id then return 0 end

local known = redis.call('HGET', meta, 'generation')
if known and known ~= generation then return redis.error_reply('GENERATION the partition belongs to generation ' .. known) end
if not known then
  local clock = redis.call('TIME')
  local now = tonumber(clock[1]) * 1000 + math.floor(tonumber(clock[2]) / 1000)
  append_entry(stream, meta, { generation = generation, now = now, events = 0 }, { struct.pack('>BB', KIND_OPENED, 0) })
end
redis.call('HSET', meta, 'generation', generation, 'open', run_id)
return 1
