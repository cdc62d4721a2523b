#!lua
-- Replays one archived entry into a partition that lost it. No business logic: the entry holds new absolute values.
--
-- KEYS
--   1  stream
--   2  partition meta
--   …  the records the entry writes, in its order
-- ARGV
--   1  generation
--   2  sequence number of the entry
--   3  the number that must be the stream's last one; '' = the stream is empty
--   4  payload of the entry
--   5  time of the entry, ms
--   6  events total after the entry
--   …  per record: number of fields, and per field its name and the value to store
-- Reply 1 applied, 0 the stream's last entry is another one, or the partition is open

local stream, meta = KEYS[1], KEYS[2]
local generation, seq, expected, payload, time, events = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]

local run_id = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
if redis.call('HGET', meta, 'open') == run_id then return 0 end
local last = redis.call('XREVRANGE', stream, '+', '-', 'COUNT', 1)
if expected == '' then
  if #last > 0 then return 0 end
elseif #last == 0 or last[1][1] ~= generation .. '-' .. expected then
  return 0
end
for index = 3, #KEYS do
  local kind = redis.call('TYPE', KEYS[index]).ok
  if kind ~= 'hash' and kind ~= 'none' then return redis.error_reply('WRONGTYPE ' .. KEYS[index]) end
end

redis.call('XADD', stream, generation .. '-' .. seq, 'e', payload)
redis.call('HSET', meta, 'generation', generation, 'time', time, 'events', events)
local at = 7
for index = 3, #KEYS do
  local count = tonumber(ARGV[at])
  for field = 1, count do
    redis.call('HSET', KEYS[index], ARGV[at + 2 * field - 1], ARGV[at + 2 * field])
  end
  at = at + 1 + 2 * count
end
return 1
