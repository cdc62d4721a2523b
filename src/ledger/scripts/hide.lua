#!lua
-- Hides a coupon that can no longer be used from its owner's lists. Done twice, it answers the same.
--
-- KEYS
--   1  stream
--   2  partition meta
--   3  wallet
-- ARGV
--   1  wallet field of the coupon, 16 bytes
--   2  deadline, ms of this server's clock, in decimal
--   3  user id
--   4  number of partitions of the ledger, in decimal
-- Reply
--   'C' when the partition is closed for this server; otherwise
--   a status byte and the coupon's value where there is one: 'H' hidden (now or before), 'U' still usable, 'N' no such
--   coupon, 'L' late: the deadline had passed, with now, u48 ms; 'X' the stored value is corrupt

--@include partition
--@include events

local COUPON_BYTES, UNUSED, RESERVED, HIDDEN = 30, 1, 2, 1
local stream, meta, wallet = KEYS[1], KEYS[2], KEYS[3]
local field, deadline, user = ARGV[1], tonumber(ARGV[2]), ARGV[3]

local partition = open_partition(meta, ARGV[4])
if not partition then return 'C' end

local stored = redis.call('HMGET', wallet, field, '@')
local value = stored[1]
if not value then return 'N' end
if #value ~= COUPON_BYTES or not stored[2] then return 'X' end
local state, flags, expires = string.byte(value, 2), string.byte(value, 4), struct.unpack('>I6', value, 25)
if flags % 2 == HIDDEN then return 'H' .. value end
local over = expires > 0 and expires < partition.now
if state == RESERVED or (state == UNUSED and not over) then return 'U' .. value end
if deadline < partition.now then return struct.pack('>c0I6', 'L', partition.now) end

local hidden = string.sub(value, 1, 3) .. string.char(flags + HIDDEN) .. string.sub(value, 5)
local live = string.sub(stored[2], 7)
local event = struct.pack('>BBBBc0B', KIND_HIDDEN, 1, TARGET_WALLET, #user, user, 2)
  .. encode_field(field, hidden) .. encode_field('@', sequence_of(0, live))
local seq = append_entry(stream, meta, partition, { event })
redis.call('HSET', wallet, field, hidden, '@', sequence_of(seq, live))
return 'H' .. hidden
