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
--   …  per record: 'hash' or 'zset', number of fields, and per field its name, '1' and the value to store or '0' and ''
--      for a field that goes away; the names in a 'zset' are its members, the values their scores
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

-- Calls step(key, type, name, is_stored, value) for every field, and record(key, type) before those of each record.
local function each(record, step)
  local at = 7
  for index = 3, #KEYS do
    local key, kind, count = KEYS[index], ARGV[at], tonumber(ARGV[at + 1])
    at = at + 2
    record(key, kind)
    for _ = 1, count do
      step(key, kind, ARGV[at], ARGV[at + 1] == '1', ARGV[at + 2])
      at = at + 3
    end
  end
end

local wrong
each(function(key, kind)
  local found = redis.call('TYPE', key).ok
  if found ~= kind and found ~= 'none' then wrong = wrong or 'WRONGTYPE ' .. key end
end, function(key, kind, _, is_stored, value)
  if kind == 'zset' and is_stored and not tonumber(value) then wrong = wrong or 'ERR no score for ' .. key end
end)
if wrong then return redis.error_reply(wrong) end

redis.call('XADD', stream, generation .. '-' .. seq, 'e', payload)
redis.call('HSET', meta, 'generation', generation, 'time', time, 'events', events)
each(function() end, function(key, kind, name, is_stored, value)
  if kind == 'zset' then
    if is_stored then redis.call('ZADD', key, value, name) else redis.call('ZREM', key, name) end
  elseif is_stored then
    redis.call('HSET', key, name, value)
  else
    redis.call('HDEL', key, name)
  end
end)
return 1
