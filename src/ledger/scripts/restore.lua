#!lua
-- Writes whole records into a partition that a rebuild has emptied. No entry tells of it: the archive holds all of it already.
--
-- KEYS
--   1  partition meta
--   …  the records
-- ARGV
--   1  name of the rebuild, which the partition was given to
--   …  per record: 'hash' or 'zset', number of fields, and per field its name and value; the names in a 'zset' are its
--      members, the values their scores
-- Reply 1 written, 0 the partition is open, or another rebuild has it

local FIELDS_PER_CALL = 500

local meta, name = KEYS[1], ARGV[1]
local fields = redis.call('HMGET', meta, 'open', 'rebuild')
if fields[1] == string.match(redis.call('INFO', 'server'), 'run_id:(%x+)') or fields[2] ~= name then return 0 end

-- Calls step(key, kind, first, last) with the places in ARGV of each record's fields.
local function each(step)
  local at = 2
  for index = 2, #KEYS do
    local count = tonumber(ARGV[at + 1])
    step(KEYS[index], ARGV[at], at + 2, at + 1 + 2 * count)
    at = at + 2 + 2 * count
  end
end

local wrong
each(function(key, kind, first, last)
  local found = redis.call('TYPE', key).ok
  if found ~= kind and found ~= 'none' then wrong = wrong or 'WRONGTYPE ' .. key end
  if kind ~= 'zset' then return end
  for place = first + 1, last, 2 do
    if not tonumber(ARGV[place]) then wrong = wrong or 'ERR no score for ' .. key end
  end
end)
if wrong then return redis.error_reply(wrong) end

each(function(key, kind, first, last)
  if kind == 'zset' then
    for place = first, last, 2 do redis.call('ZADD', key, ARGV[place + 1], ARGV[place]) end
    return
  end
  for place = first, last, 2 * FIELDS_PER_CALL do
    redis.call('HSET', key, unpack(ARGV, place, math.min(last, place + 2 * FIELDS_PER_CALL - 1)))
  end
end)
return 1
