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
--   2  the records: class u8, id length u8, id, fields u16, field* (length u8, bytes): those that are looked at, at least one
--   3  number of partitions of the ledger, in decimal
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
local NO_SEQ = struct.pack('>I6', 0)
local SEQ_BYTES = 6

local stream, meta = KEYS[1], KEYS[2]
local backlog_limit, names = tonumber(ARGV[1]), ARGV[2]

local partition = open_partition(meta, ARGV[3])
if not partition then return 'C' end
local now = partition.now

-- Reads the fields of a hash that the call looks at, all at once. `false` stands for a field that is not there.
local function read_fields(record, fields)
  local values = redis.pcall('HMGET', record.key, unpack(fields))
  if values.err then
    record.is_corrupt = true
    return
  end
  for index = 1, #fields do record.fields[fields[index]] = values[index] end
end

local function read_due(record)
  local kind = redis.call('TYPE', record.key).ok
  record.is_corrupt = kind ~= 'zset' and kind ~= 'none'
end

-- The records of the call: what their fields hold as far as it was decided, and which of them were written.
local records, name_at = {}, 1
for index = 3, #KEYS do
  local class, id, count
  class, id, count, name_at = struct.unpack('>BBc0I2', names, name_at)
  local record = { key = KEYS[index], class = class, id = id, fields = {}, written = {} }
  local fields = {}
  for at = 1, count do fields[at], name_at = struct.unpack('>Bc0', names, name_at) end
  if class == TARGET_DUE then read_due(record) else read_fields(record, fields) end
  records[index - 2] = record
end

local function whole(digits)
  if not digits then return 0 end
  return string.match(digits, '^%-?%d+$') and tonumber(digits)
end

local function numbered(step, bytes)
  return struct.pack('>I2', step) .. (bytes or '')
end

local function differing(step, value)
  return DIFFERS, numbered(step, struct.pack('B', value and 1 or 0) .. (value or ''))
end

-- The value a SET gives: its bytes with the times of the decision put in.
local function stamped(body, at)
  local count, value = string.byte(body, at), nil
  local times_at = at + 1
  value, at = struct.unpack('>I4c0', body, times_at + 7 * count)
  for index = 0, count - 1 do
    local offset, plus = struct.unpack('>BI6', body, times_at + 7 * index)
    value = string.sub(value, 1, offset) .. struct.pack('>I6', now + plus) .. string.sub(value, offset + 7)
  end
  return value, at
end

-- A wallet's mark with the number of live coupons changed; nil and the number when there would be too many. The running
-- count is counted anew before it refuses, unless this call has issued into the wallet already.
local function live_mark(record, held, change)
  local live = struct.unpack('>I2', held, SEQ_BYTES + 1)
  if change > 0 and live + change > WALLET_LIMIT then
    if not record.written['@'] then live = count_live(record.key, now) end
    if live + change > WALLET_LIMIT then return nil, live end
  end
  return NO_SEQ .. struct.pack('>I2', math.max(0, live + change))
end

-- Works a transaction out on a copy. Returns its outcome and its bytes; and, when it is to be written, its kind, the places
-- of the records it touches, and by those places what their fields become.
local function work_out(body)
  local deadline, opens, kind, steps, at = struct.unpack('>I6BBI2', body, 1)
  local touched, copies, sums = {}, {}, {}
  for step = 1, steps do
    local operation, place, field
    operation, place, field, at = struct.unpack('>BI2Bc0', body, at)
    local record, copy, value, written = records[place], copies[place], nil, nil
    if record then
      if record.is_corrupt then return CORRUPT, numbered(step) end
      if copy then value = copy[field] end
      if value == nil then value = record.fields[field] end
    end
    if operation == SET then
      written, at = stamped(body, at)
    elseif operation == EXPECT then
      local wanted
      wanted, at = struct.unpack('>I4c0', body, at)
      if value ~= wanted then return differing(step, value) end
    elseif operation == ABSENT then
      if value then return differing(step, value) end
    elseif operation == ADD then
      local delta, least, most
      delta, least, most, at = struct.unpack('>Bc0Bc0Bc0', body, at)
      local before = whole(value)
      if not before then return CORRUPT, numbered(step) end
      local after = before + tonumber(delta)
      if after < tonumber(least) or after > tonumber(most) then
        return OUT_OF_BOUNDS, numbered(step, string.format('%d', before))
      end
      written = string.format('%d', after)
      sums[#sums + 1] = struct.pack('>Bc0', #written, written)
    elseif operation == LIVE then
      local held, live = value or EMPTY_WALLET, nil
      if #held ~= #EMPTY_WALLET then return CORRUPT, numbered(step) end
      written, live = live_mark(record, held, string.byte(body, at) - 128)
      if not written then return OUT_OF_BOUNDS, numbered(step, string.format('%d', live)) end
      at = at + 1
    elseif operation == WITHIN then
      local from, to
      from, to, at = struct.unpack('>I6I6', body, at)
      if now < from or now > to then return OUTSIDE, numbered(step) end
    elseif operation == REMOVE then
      if value then written = false end
    elseif operation == DUE then
      local there, after
      there, after, at = struct.unpack('>BI6', body, at)
      written = there == 1 and string.format('%d', now + after)
    elseif operation == REPLAY then
      if value then return REPLAYED, value end
    end
    if written ~= nil then
      if not copy then
        copy = {}
        copies[place] = copy
        touched[#touched + 1] = place
      end
      copy[field] = written
    end
  end
  if deadline < now then return LATE, '' end
  if opens == 1 and partition.backlog >= backlog_limit then return BACKLOG, '' end
  return DONE, table.concat(sums), kind, touched, copies
end

-- Makes what a transaction wrote to a record what later ones see, and tells it. A wallet's '@' always tells its last event.
local function take_over(record, copy)
  if record.class == TARGET_WALLET and copy['@'] == nil then
    copy['@'] = NO_SEQ .. string.sub(record.fields['@'] or EMPTY_WALLET, SEQ_BYTES + 1)
  end
  local fields = {}
  for field, value in pairs(copy) do
    record.fields[field] = value
    record.written[field] = true
    fields[#fields + 1] = value and struct.pack('>Bc0I4c0', #field, field, #value, value) or encode_removed(field)
  end
  table.sort(fields)
  return struct.pack('>BBc0B', record.class, #record.id, record.id, #fields) .. table.concat(fields)
end

local events = {}

local function add_event(kind, touched, copies)
  local parts = { struct.pack('>BB', kind, #touched) }
  for index = 1, #touched do
    local place = touched[index]
    parts[index + 1] = take_over(records[place], copies[place])
  end
  events[#events + 1] = table.concat(parts)
  partition.backlog = partition.backlog + 1
end

local function write_hash(record, sequence)
  local set, gone = {}, {}
  for field in pairs(record.written) do
    local value = record.fields[field]
    if not value then
      gone[#gone + 1] = field
    else
      if record.class == TARGET_WALLET and field == '@' then value = sequence .. string.sub(value, SEQ_BYTES + 1) end
      set[#set + 1] = field
      set[#set + 1] = value
    end
  end
  if #set > 0 then redis.call('HSET', record.key, unpack(set)) end
  if #gone > 0 then redis.call('HDEL', record.key, unpack(gone)) end
end

local function write_due(record)
  for member in pairs(record.written) do
    local score = record.fields[member]
    if score then redis.call('ZADD', record.key, score, member) else redis.call('ZREM', record.key, member) end
  end
end

local replies = {}
for index = 4, #ARGV do
  local outcome, bytes, kind, touched, copies = work_out(ARGV[index])
  if kind and #touched > 0 then add_event(kind, touched, copies) end
  replies[#replies + 1] = struct.pack('>BI4c0', outcome, #bytes, bytes)
end

if #events > 0 then
  local seq = append_entry(stream, meta, partition, events)
  local sequence = sequence_of(seq, '')
  for _, record in ipairs(records) do
    if record.class == TARGET_DUE then write_due(record) else write_hash(record, sequence) end
  end
end
return struct.pack('>c0I6I6', 'O', now, math.max(partition.backlog, 0)) .. table.concat(replies)
