#!lua
-- Opens the partition for one server process; starts the generation when the partition is new (LEDGER rule 15).
--
-- KEYS
--   1  stream
--   2  partition meta
-- ARGV
--   1  run id of the server the caller examined
--   2  generation, in decimal
--   3  number of partitions of the ledger, in decimal; it stays what it is for a generation
-- Reply 1 opened, 0 not now: another server process answers, or the partition is being moved: examine again

--@include events

local stream, meta = KEYS[1], KEYS[2]
local run_id, generation, partitions = ARGV[1], ARGV[2], ARGV[3]
if string.match(redis.call('INFO', 'server'), 'run_id:(%x+)') ~= run_id then return 0 end

-- A ledger that was opened before it wrote the number down had one partition; one put back from the archive may have any.
local fields = redis.call('HMGET', meta, 'generation', 'partitions', 'open', 'moving', 'closed')
if fields[4] then return 0 end
if fields[5] then return redis.error_reply('GENERATION ' .. fields[1] .. ' was closed for good: another one takes over') end
local known, known_partitions = fields[1], fields[2] or (fields[3] and '1') or partitions
if known and known ~= generation then return redis.error_reply('GENERATION the partition belongs to generation ' .. known) end
if known and known_partitions ~= partitions then
  return redis.error_reply('PARTITIONS the ledger has ' .. known_partitions .. ' partitions: another number is made by a rebuild')
end
if not known then
  local clock = redis.call('TIME')
  local now = tonumber(clock[1]) * 1000 + math.floor(tonumber(clock[2]) / 1000)
  append_entry(stream, meta, { generation = generation, now = now, events = 0 }, { struct.pack('>BB', KIND_OPENED, 0) })
end
redis.call('HSET', meta, 'generation', generation, 'partitions', partitions, 'open', run_id)
return 1
