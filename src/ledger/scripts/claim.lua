#!lua
-- Claims coupons: a batch of claims of one partition, decided and written as one step.
--
-- Two passes (LEDGER rule 1): the first reads, checks the type of every record and decides each claim; the second writes,
-- the stream entry first, then only writes that cannot fail. A claim that was already done is found before any refusal
-- (rule 2), unless the user was erased: the wallet's field 'x' says so. Claims of one batch see each other.
--
-- KEYS
--   1  stream
--   2  partition meta
--   …  P promotion records, then the wallets
-- ARGV
--   1  P, the number of promotion records, in decimal
--   2  length of a wallet key's prefix (the user id follows it), in decimal
--   3  length of a promotion key's prefix (the ref follows it), in decimal
--   4  backlog (events not archived) at which new claims are refused, in decimal
--   5  what a DURABLE promotion gets: '1' durable, '0' refused, '2' only FAST
--   6  the claims, each: promotion index u8 (1 …), wallet index u16 (1 …), deadline u48 (ms of this server's clock),
--      field 16 bytes, facts length u16, facts
--      facts: flags u8 (1 registered at known, 2 orders completed known), registered at u48 ms, orders completed u32,
--             tag count u8, tag* (length u8, bytes)
--   7  number of partitions of the ledger, in decimal
-- Reply
--   'C' when the partition is closed for this server; otherwise
--   'O', now u48 ms, events not archived u48, number of the entry that tells of the new claims u48 (all ones: there are none),
--     then per claim 32 bytes: outcome u8, acknowledgement u8 (1 fast, 2 durable, 3 once the archive has it), and
--     outcome 1 claimed, 2 replayed: the coupon's value, 30 bytes
--     any other: needed u48, seen u48, version of the definition that spoke u48 (sold out only, otherwise 0), zeros
-- Outcomes
--   1 claimed, 2 replayed, 3 promotion not found, 4 not claimable, 5 inactive, 6 not started, 7 ended, 8 not targeted,
--   9 a fact is missing, 10 limit reached, 11 sold out, 12 wallet full, 13 request id reused, 14 late, 15 backlog,
--   16 promotion not defined in this partition, 17 durability unmet, 18 corrupt record, 19 user erased

--@include partition
--@include events
--@include wallet

local STATE_INACTIVE, STATE_FINISHED, STATE_DELETED = 0, 2, 3
local ACK_FAST, ACK_DURABLE, ACK_LEDGER = 1, 2, 3
local NO_ENTRY = 2 ^ 48 - 1
local VALIDITY_FIXED = 1
local TARGET_NO_ORDER, TARGET_REGISTERED_WITHIN, TARGET_TAGS = 1, 2, 3
local SOURCE_CLAIM, COUPON_FORMAT = 2, 1

local stream, meta = KEYS[1], KEYS[2]
local promotion_count = tonumber(ARGV[1])
local wallet_prefix, promotion_prefix = tonumber(ARGV[2]), tonumber(ARGV[3])
local wallets_at = 2 + promotion_count
local backlog_limit, durable_mode, claims = tonumber(ARGV[4]), ARGV[5], ARGV[6]

local partition = open_partition(meta, ARGV[7])
if not partition then return 'C' end
local now = partition.now

local function refusal(outcome, needed, seen, version)
  return struct.pack('>BBI6I6I6I6I6', outcome, 0, needed or 0, seen or 0, version or 0, 0, 0)
end

-- Reads a promotion's live definition; the layout is told in live-definition.ts.
local function read_promotion(key)
  local fields = redis.pcall('HMGET', key, 'd', 'issued', 'received')
  if fields.err then return { corrupt = true } end
  local definition = fields[1]
  if not definition then return { missing = true } end
  local p = { key = key, ref = string.sub(key, promotion_prefix + 1), definition = definition }
  p.issued = tonumber(fields[2])
  p.received = tonumber(fields[3])
  local format
  format, p.state, p.claimable, p.version, p.limit, p.starts, p.ends, p.validity, p.valid_a, p.valid_b, p.ack, p.target,
    p.target_arg, p.tags, p.tags_at = struct.unpack('>BBBI4I4I6I6BI6I6BBI6B', definition)
  if format ~= 1 or not p.issued then return { corrupt = true } end
  p.number = tonumber(p.ref)
  p.counter = '#' .. struct.pack('>I4', p.number)
  return p
end

local promotions = {}
for index = 1, promotion_count do promotions[index] = read_promotion(KEYS[2 + index]) end

local function has_tag(p, facts_at)
  local wanted, at = {}, p.tags_at
  for _ = 1, p.tags do
    local tag
    tag, at = struct.unpack('>Bc0', p.definition, at)
    wanted[tag] = true
  end
  local count = string.byte(claims, facts_at + 11)
  at = facts_at + 12
  for _ = 1, count do
    local tag
    tag, at = struct.unpack('>Bc0', claims, at)
    if wanted[tag] then return true end
  end
  return false
end

-- nil when the user is in the promotion's target, otherwise the refusal.
local function target_refusal(p, facts_at, facts_length)
  if p.target == 0 then return nil end
  if facts_length == 0 then return refusal(9, p.target) end
  local flags, registered, orders = struct.unpack('>BI6I4', claims, facts_at)
  if p.target == TARGET_TAGS then
    if has_tag(p, facts_at) then return nil end
    return refusal(8, p.target)
  end
  if p.target == TARGET_NO_ORDER then
    if flags < 2 then return refusal(9, p.target) end
    if orders == 0 then return nil end
    return refusal(8, p.target, orders)
  end
  if flags % 2 == 0 then return refusal(9, p.target) end
  if now - registered < p.target_arg then return nil end
  return refusal(8, p.target, registered)
end

-- How long the oldest entry that is not archived has waited, ms; 0 when the archive has them all, as far as it has told.
local function oldest_wait()
  if partition.wait then return partition.wait end
  local archived = tonumber(redis.call('HGET', meta, 'archivedSeq') or '-1')
  local first = partition.generation .. '-' .. string.format('%d', archived + 1)
  local entry = redis.call('XRANGE', stream, first, '+', 'COUNT', 1)[1]
  partition.wait = entry and math.max(0, now - struct.unpack('>I6', entry[2][2], 2)) or 0
  return partition.wait
end

-- The first reason why the promotion gives nobody a coupon at this moment, in the order the contract promises; false when
-- there is none.
local function standing_refusal(p)
  if p.state == STATE_DELETED then return refusal(3) end
  if p.claimable == 0 then return refusal(4) end
  if p.state == STATE_INACTIVE then return refusal(5) end
  if p.starts > now then return refusal(6, p.starts, now) end
  if p.state == STATE_FINISHED then return refusal(7, 0, now) end
  if p.ends > 0 and p.ends < now then return refusal(7, p.ends, now) end
  if p.validity == VALIDITY_FIXED and p.valid_b > 0 and p.valid_b < now then return refusal(7, p.valid_b, now) end
  return false
end

local function acknowledgement(p)
  if p.ack == ACK_LEDGER then return ACK_LEDGER end
  if p.ack == ACK_DURABLE and durable_mode == '1' then return ACK_DURABLE end
  return ACK_FAST
end

local function coupon_value(p)
  local from, expires
  if p.validity == VALIDITY_FIXED then
    from, expires = math.max(p.valid_a, now), p.valid_b
  else
    from, expires = now, now + p.valid_a
  end
  return struct.pack('>BBBBI4I4I6I6I6', COUPON_FORMAT, COUPON_UNUSED, SOURCE_CLAIM, 0, p.number, p.version, now, from, expires)
end

-- What is the same for all claims of a promotion in this call: whether it gives coupons at all, the coupon, the reply to who
-- gets one, and the parts of the event that tell of it.
local function prepare(p)
  p.refused = standing_refusal(p)
  p.acknowledgement = acknowledgement(p)
  p.value = coupon_value(p)
  p.reply = struct.pack('>BBc0', 1, p.acknowledgement, p.value)
  p.coupon_part = struct.pack('>I4c0Bc0', COUPON_BYTES, p.value, #p.counter, p.counter)
  p.stock_part = struct.pack('>BBc0BBc0', TARGET_PROMOTION, #p.ref, p.ref, 1, 6, 'issued')
end

for _, p in ipairs(promotions) do
  if p.definition then prepare(p) end
end

-- The first reason against a new claim, in the order the contract promises; nil when there is none, and then how many coupons
-- of the wallet count against its bound.
local function claim_refusal(p, key, made, live, count, deadline, facts_at, facts_length)
  if p.refused then return p.refused end
  local untargeted = target_refusal(p, facts_at, facts_length)
  if untargeted then return untargeted end
  if p.limit > 0 and count >= p.limit then return refusal(10, p.limit, count) end
  if p.received and p.issued >= p.received then return refusal(11, p.received, p.issued, p.version) end
  if live >= WALLET_LIMIT then
    if not made then live = count_live(key, now) end
    if live >= WALLET_LIMIT then return refusal(12, WALLET_LIMIT, live) end
  end
  if p.ack == ACK_DURABLE and durable_mode == '0' then return refusal(17) end
  if partition.backlog >= backlog_limit then return refusal(15, backlog_limit, partition.backlog) end
  if p.ack == ACK_LEDGER and oldest_wait() > deadline - now then return refusal(15, deadline - now, oldest_wait()) end
  return nil, live
end

-- A text for each number that is asked for, made once: most claims need the same few.
local function remembered(make)
  local known = {}
  return function(number)
    local text = known[number]
    if not text then
      text = make(number)
      known[number] = text
    end
    return text
  end
end

local decimal = remembered(function(number) return string.format('%d', number) end)
local mark_of = remembered(function(live) return struct.pack('>I2', live) end)
local claimed_head = remembered(function(length) return string.char(KIND_CLAIMED, 2, TARGET_WALLET, length) end)
local FIELDS_HEAD = string.char(3, FIELD_BYTES)
local MARK_HEAD = struct.pack('>BBI4I6', 1, 64, 8, 0)

-- The part of an event between the coupon's field and the digits of `issued`: most claims of a promotion have that of the last.
local function event_part(p, count, live, digits)
  if p.part_count ~= count or p.part_live ~= live or p.part_digits ~= digits then
    local counted = decimal(count)
    p.part = p.coupon_part .. struct.pack('>I4', #counted) .. counted .. MARK_HEAD .. mark_of(live) .. p.stock_part
      .. struct.pack('>I4', digits)
    p.part_count, p.part_live, p.part_digits = count, live, digits
  end
  return p.part
end

-- What was decided so far. A write is WRITE_PARTS places of `writes`: wallet key, field, promotion, count of the promotion's
-- coupons, and live coupons of the wallet.
local WRITE_PARTS = 5
local events, event_count, writes, write_end = {}, 0, {}, 0

-- By a wallet's index: where its first write begins; and once a second claim asks, coupons by field, counts by counter, and
-- `live`, as the claims before it made them. Hardly any wallet comes twice in a call, so a table for each would cost more.
local first_write, made_of = {}, {}

local function made_before(index)
  local made, at = made_of[index], first_write[index]
  if made or not at then return made end
  local p = writes[at + 3]
  made = { live = writes[at + 5], [p.counter] = writes[at + 4], [writes[at + 2]] = p.value }
  made_of[index] = made
  return made
end

local function issue(p, index, key, made, live, count, field)
  if made then
    made.live, made[p.counter], made[field] = live, count, p.value
  else
    first_write[index] = write_end
  end
  p.issued = p.issued + 1
  p.touched = true
  partition.backlog = partition.backlog + 1
  local user, issued = string.sub(key, wallet_prefix + 1), string.format('%d', p.issued)
  event_count = event_count + 1
  events[event_count] = claimed_head(#user) .. user .. FIELDS_HEAD .. field .. event_part(p, count, live, #issued) .. issued
  writes[write_end + 1], writes[write_end + 2], writes[write_end + 3] = key, field, p
  writes[write_end + 4], writes[write_end + 5] = count, live
  write_end = write_end + WRITE_PARTS
  return p.reply
end

local function decide(p, index, deadline, field, facts_at, facts_length)
  if p.missing then return refusal(16) end
  if p.corrupt then return refusal(18) end
  local key = KEYS[wallets_at + index]
  local found = redis.pcall('HMGET', key, field, p.counter, '@', 'x')
  if found.err then return refusal(18) end
  local made = made_before(index)
  local existing, count = found[1], tonumber(found[2] or '0')
  if made then existing, count = made[field] or existing, made[p.counter] or count end
  if not count then return refusal(18) end
  if found[4] then return refusal(19) end
  if existing then
    if #existing ~= COUPON_BYTES then return refusal(18) end
    if struct.unpack('>I4', existing, 5) ~= p.number then return refusal(13) end
    return struct.pack('>BBc0', 2, p.acknowledgement, existing)
  end
  if deadline < now then return refusal(14, deadline, now) end
  local live = made and made.live or found[3] and struct.unpack('>I2', found[3], 7) or 0
  local refused
  refused, live = claim_refusal(p, key, made, live, count, deadline, facts_at, facts_length)
  return refused or issue(p, index, key, made, live + 1, count + 1, field)
end

local replies, reply_count, at = {}, 0, 1
while at <= #claims do
  local promotion, wallet, deadline, field, facts_length
  promotion, wallet, deadline, field, facts_length, at = struct.unpack('>BI2I6c16I2', claims, at)
  reply_count = reply_count + 1
  replies[reply_count] = decide(promotions[promotion], wallet, deadline, field, at, facts_length)
  at = at + facts_length
end

local seq = NO_ENTRY
if event_count > 0 then
  seq = append_entry(stream, meta, partition, events)
  local sequence = struct.pack('>I6', seq)
  local mark = remembered(function(live) return sequence .. mark_of(live) end)
  for at = 1, write_end, WRITE_PARTS do
    local p = writes[at + 2]
    redis.call('HSET', writes[at], writes[at + 1], p.value, p.counter, decimal(writes[at + 3]), '@', mark(writes[at + 4]))
  end
  for _, p in ipairs(promotions) do
    if p.touched then redis.call('HSET', p.key, 'issued', string.format('%d', p.issued)) end
  end
end
return struct.pack('>c0I6I6I6', 'O', now, math.max(partition.backlog, 0), seq) .. table.concat(replies)
