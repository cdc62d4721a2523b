#!lua
-- Carries out transactions of one partition: each checks some fields of some records and then writes some, whole or not
-- at all. What a transaction means is its maker's business; this script knows fields, whole numbers and the clock.
--
-- Two passes (LEDGER rule 1): the first reads, and works every transaction out on a copy; the second writes, the stream
-- entry first, then only writes that cannot fail. Transactions of one call see each other, in order.
--
-- KEYS
--   1  stream
--   2  partition meta
--   …  the records: hashes, and the sorted set of due times where a transaction changes it
-- ARGV
--   1  backlog (events not archived) at which transactions that open something new are refused, in decimal
--   2  the records' names: class u8, id length u8, id
--   …  one argument per transaction: deadline u48 (ms of this server's clock), opens something new u8 (0, 1), event kind u8,
--      steps u16, step*
--      step = operation u8, record u16 (1 …), field length u8, field, operands:
--        1 REPLAY  -                             ends the transaction well when the field is there: it was done before
--        2 EXPECT  length u16, value             the field holds this value
--        3 ABSENT  -                             the field is not there
--        4 SET     times u8, time*, length u32, value   the field gets this value
--                  time = offset u8, plus u48: so many ms after the decision, put over six bytes of the value
--        5 REMOVE  -                             the field goes
--        6 ADD     delta, min, max               the whole number in the field (0 when absent) grows by delta and then lies
--                                                between min and max; each of the three as length u8 and decimal digits
--        7 WITHIN  from u48, to u48              from <= now <= to; record and field mean nothing
--        8 LIVE    change + 128 u8               the number of live coupons in a wallet's '@' changes; the field is '@'
--        9 DUE     there u8 (0, 1), after u48    the member `field` of the sorted set is due so many ms from now, or goes
-- Reply
--   'C' when the partition is closed for this server; otherwise
--   'O', now u48 ms, events not archived u48, then per transaction: outcome u8, length u32, and so many bytes:
--     1 done                  the numbers that ADD left, in order: length u8 and decimal digits each
--     2 done before           the value of the REPLAY field
--     3 a field differs       number of the step u16 (1 …), there u8 (0, 1), the field's value
--     4 a number out of bounds  number of the step u16, the number as it is, in decimal digits
--     5 late                  -
--     6 outside its time      number of the step u16
--     7 backlog               -
--     8 a record or number cannot be read  number of the step u16

--@include partition
--@include events
--@include wallet

local REPLAY, EXPECT, ABSENT, SET, REMOVE, ADD, WITHIN, LIVE, DUE = 1, 2, 3, 4, 5, 6, 7, 8, 9
local DONE, REPLAYED, DIFFERS, OUT_OF_BOUNDS, LATE, OUTSIDE, BACKLOG, CORRUPT = 1, 2, 3, 4, 5, 6, 7, 8
local EMPTY_WALLET = struct.pack('>I6I2', 0, 0)
local SEQ_BYTES = 6

local stream, meta = KEYS[1], KEYS[2]
local backlog_limit, names = tonumber(ARGV[1]), ARGV[2]

local partition = open_partition(meta)
if not partition then return 'C' end
local now = partition.now

-- Every record with the values its fields have for this call. `false` stands for a field that is not there.
local records, name_at = {}, 1
for index = 3, #KEYS do
  local class, id
  class, id, name_at = struct.unpack('>BBc0', names, name_at)
  records[index - 2] = { key = KEYS[index], class = class, id = id, fields = {}, written = {} }
end

-- The value of a field as this transaction sees it; nil when the record cannot be read.
local function value_of(record, field, copy)
  local staged = copy[record] and copy[record][field]
  if staged ~= nil then return staged end
  local known = record.fields[field]
  if known ~= nil then return known end
  local stored = redis.pcall('HGET', record.key, field)
  if type(stored) == 'table' then return nil end
  record.fields[field] = stored
  return stored
end

local function is_sorted_set(record)
  if record.type == nil then record.type = redis.call('TYPE', record.key).ok end
  return record.type == 'zset' or record.type == 'none'
end

local function stage(record, field, value, copy)
  if not copy[record] then
    copy[record] = {}
    copy.touched[#copy.touched + 1] = record
  end
  copy[record][field] = value
end

local function whole(digits)
  if not digits then return 0 end
  return string.match(digits, '^%-?%d+$') and tonumber(digits)
end

local function numbered(step, bytes)
  return struct.pack('>I2', step) .. (bytes or '')
end

-- One function per operation: (body, position of the operands, the step: record, field, value, number, write, sums) ->
-- next position; or nil, the transaction's outcome and its bytes.
local operations = {}

operations[REPLAY] = function(_, at, step)
  if step.value then return nil, REPLAYED, step.value end
  return at
end

operations[EXPECT] = function(body, at, step)
  local wanted
  wanted, at = struct.unpack('>I4c0', body, at)
  if step.value == wanted then return at end
  return nil, DIFFERS, numbered(step.number, struct.pack('B', step.value and 1 or 0) .. (step.value or ''))
end

operations[ABSENT] = function(_, at, step)
  if not step.value then return at end
  return nil, DIFFERS, numbered(step.number, struct.pack('B', 1) .. step.value)
end

operations[SET] = function(body, at, step)
  local count, times, value = string.byte(body, at), {}, nil
  at = at + 1
  for index = 1, count do
    local offset, plus
    offset, plus, at = struct.unpack('>BI6', body, at)
    times[index] = { offset, now + plus }
  end
  value, at = struct.unpack('>I4c0', body, at)
  for _, time in ipairs(times) do
    value = string.sub(value, 1, time[1]) .. struct.pack('>I6', time[2]) .. string.sub(value, time[1] + 7)
  end
  step.write(value)
  return at
end

operations[REMOVE] = function(_, at, step)
  if step.value then step.write(false) end
  return at
end

operations[ADD] = function(body, at, step)
  local delta, least, most
  delta, least, most, at = struct.unpack('>Bc0Bc0Bc0', body, at)
  local before = whole(step.value)
  if not before then return nil, CORRUPT, numbered(step.number) end
  local after = before + tonumber(delta)
  if after < tonumber(least) or after > tonumber(most) then
    return nil, OUT_OF_BOUNDS, numbered(step.number, string.format('%d', before))
  end
  local digits = string.format('%d', after)
  step.write(digits)
  step.sums[#step.sums + 1] = struct.pack('>Bc0', #digits, digits)
  return at
end

operations[WITHIN] = function(body, at, step)
  local from, to
  from, to, at = struct.unpack('>I6I6', body, at)
  if now >= from and now <= to then return at end
  return nil, OUTSIDE, numbered(step.number)
end

-- A wallet's running count is counted anew before it refuses, unless this call has issued into the wallet already.
operations[LIVE] = function(body, at, step)
  local change = string.byte(body, at) - 128
  local held = step.value or EMPTY_WALLET
  if #held ~= #EMPTY_WALLET then return nil, CORRUPT, numbered(step.number) end
  local live = struct.unpack('>I2', held, 7)
  if change > 0 and live + change > WALLET_LIMIT then
    if not step.record.written['@'] then live = count_live(step.record.key, now) end
    if live + change > WALLET_LIMIT then return nil, OUT_OF_BOUNDS, numbered(step.number, string.format('%d', live)) end
  end
  step.write(struct.pack('>I6I2', 0, math.max(0, live + change)))
  return at + 1
end

operations[DUE] = function(body, at, step)
  local there, after
  there, after, at = struct.unpack('>BI6', body, at)
  step.write(there == 1 and string.format('%d', now + after))
  return at
end

-- The value a step works with; nil when its record cannot be read.
local function value_for(operation, record, field, copy)
  if operation == WITHIN then return false end
  if operation == DUE then
    if is_sorted_set(record) then return false end
    return nil
  end
  return value_of(record, field, copy)
end

-- Works a transaction out on a copy. Returns its outcome, its bytes, and, when it is to be written, the copy and its kind.
local function work_out(body)
  local deadline, opens, kind, steps, at = struct.unpack('>I6BBI2', body, 1)
  local copy, sums = { touched = {} }, {}
  for number = 1, steps do
    local operation, index, field
    operation, index, field, at = struct.unpack('>BI2Bc0', body, at)
    local record = records[index]
    local value = value_for(operation, record, field, copy)
    if value == nil then return CORRUPT, numbered(number) end
    local step = { record = record, value = value, number = number, sums = sums }
    step.write = function(new) stage(record, field, new, copy) end
    local outcome, bytes
    at, outcome, bytes = operations[operation](body, at, step)
    if not at then return outcome, bytes end
  end
  if deadline < now then return LATE, '' end
  if opens == 1 and partition.backlog >= backlog_limit then return BACKLOG, '' end
  return DONE, table.concat(sums), copy, kind
end

-- The fields a transaction wrote to a record, as its event tells them. A wallet's '@' always tells its last event.
local function record_event(record, changed)
  if record.class == TARGET_WALLET and changed['@'] == nil then
    changed['@'] = string.rep('\0', SEQ_BYTES) .. string.sub(record.fields['@'] or EMPTY_WALLET, SEQ_BYTES + 1)
  end
  local fields = {}
  for field, value in pairs(changed) do
    record.fields[field] = value
    record.written[field] = true
    fields[#fields + 1] = value and encode_field(field, value) or encode_removed(field)
  end
  table.sort(fields)
  return struct.pack('>BBc0B', record.class, #record.id, record.id, #fields) .. table.concat(fields)
end

local events = {}

-- Makes the copy what later transactions see, and its event.
local function take_over(copy, kind)
  local event = { struct.pack('>BB', kind, #copy.touched) }
  for _, record in ipairs(copy.touched) do event[#event + 1] = record_event(record, copy[record]) end
  events[#events + 1] = table.concat(event)
  partition.backlog = partition.backlog + 1
end

local function write_record(record, sequence)
  local set, gone = {}, {}
  for field in pairs(record.written) do
    local value = record.fields[field]
    if not value then
      gone[#gone + 1] = field
    else
      if record.class == TARGET_WALLET and field == '@' then value = sequence .. string.sub(value, SEQ_BYTES + 1) end
      set[#set + 1] = record.class == TARGET_DUE and value or field
      set[#set + 1] = record.class == TARGET_DUE and field or value
    end
  end
  local is_due = record.class == TARGET_DUE
  if #set > 0 then redis.call(is_due and 'ZADD' or 'HSET', record.key, unpack(set)) end
  if #gone > 0 then redis.call(is_due and 'ZREM' or 'HDEL', record.key, unpack(gone)) end
end

-- A wallet's '@' is read before anything is decided, because every event of a user tells it.
for _, record in ipairs(records) do
  if record.class == TARGET_WALLET and value_of(record, '@', {}) == nil then record.is_corrupt = true end
end

local replies = {}
for index = 3, #ARGV do
  local outcome, bytes, copy, kind = work_out(ARGV[index])
  if copy then
    for _, record in ipairs(copy.touched) do
      if record.is_corrupt then outcome, bytes, copy = CORRUPT, numbered(0), nil break end
    end
  end
  if copy and #copy.touched > 0 then take_over(copy, kind) end
  replies[#replies + 1] = struct.pack('>BI4c0', outcome, #bytes, bytes)
end

if #events > 0 then
  local seq = append_entry(stream, meta, partition, events)
  local sequence = sequence_of(seq, '')
  for _, record in ipairs(records) do write_record(record, sequence) end
end
return struct.pack('>c0I6I6', 'O', now, math.max(partition.backlog, 0)) .. table.concat(replies)
