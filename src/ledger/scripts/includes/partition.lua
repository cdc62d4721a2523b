-- The partition's gate, clock and counters. Reads only.
--
-- open_partition(meta, partitions) -> { generation = string, now = ms, events = integer, backlog = events not archived yet }
--   or nil when this server process is not the one the partition was opened for (LEDGER rule 15), or when the ledger has
--   another number of partitions than the caller thinks: then the user may belong elsewhere (rule 8).
-- The clock never runs backwards: now = max(server time, time of the last event) (rule 3).
local function open_partition(meta, partitions)
  local run_id = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
  local fields = redis.call('HMGET', meta, 'open', 'generation', 'time', 'events', 'archivedEvents', 'partitions')
  if fields[1] ~= run_id or not fields[2] then return nil end
  if (fields[6] or '1') ~= partitions then return nil end
  local clock = redis.call('TIME')
  local now = tonumber(clock[1]) * 1000 + math.floor(tonumber(clock[2]) / 1000)
  local events = tonumber(fields[4])
  return {
    generation = fields[2],
    now = math.max(now, tonumber(fields[3])),
    events = events,
    backlog = events - (tonumber(fields[5] or '0')),
  }
end
