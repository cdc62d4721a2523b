#!lua
-- Closes a partition for good, with an event that tells so: another generation takes over (LEDGER rule 8). Done twice, it
-- answers the same.
--
-- KEYS
--   1  stream
--   2  partition meta
-- ARGV
--   1  generation that is to be closed, in decimal
-- Reply 1 closed now or before, 0 the partition belongs to another generation or to none

--@include events

local stream, meta = KEYS[1], KEYS[2]
local fields = redis.call('HMGET', meta, 'generation', 'time', 'events', 'closed')
if fields[1] ~= ARGV[1] then return 0 end
if fields[4] then return 1 end
local clock = redis.call('TIME')
local now = math.max(tonumber(clock[1]) * 1000 + math.floor(tonumber(clock[2]) / 1000), tonumber(fields[2]))
local partition = { generation = fields[1], now = now, events = tonumber(fields[3]) }
append_entry(stream, meta, partition, { struct.pack('>BB', KIND_CLOSED, 0) })
redis.call('HSET', meta, 'closed', '1')
redis.call('HDEL', meta, 'open')
return 1
