#!lua flags=no-writes
-- Reads wallets and accounts of several users: one reply of few parts instead of a command, and a dozen parts, for each.
--
-- KEYS
--   a wallet or an account each
-- ARGV
--   1  a letter per key: 'w' a wallet, 'f' an account's facts, 'a' all of an account
-- Reply, per key
--   'w': number of the user's coupons that are in the archive only, u32; then of each coupon its field (16 bytes) and its value (30)
--   'f': the facts, or nil when there are none
--   'a': fields and values by turns

local FIELD_BYTES, COUPON_BYTES, RETIRED = 16, 30, 'z'
local letters = ARGV[1]

local function wallet(key)
  local stored = redis.call('HGETALL', key)
  local retired, coupons, count = 0, {}, 0
  for at = 1, #stored, 2 do
    local field, value = stored[at], stored[at + 1]
    if #field == FIELD_BYTES then
      if #value == COUPON_BYTES then
        count = count + 2
        coupons[count - 1], coupons[count] = field, value
      end
    elseif field == RETIRED then
      retired = tonumber(value)
    end
  end
  return struct.pack('>I4', retired) .. table.concat(coupons)
end

local replies = {}
for at, key in ipairs(KEYS) do
  local letter = string.sub(letters, at, at)
  if letter == 'w' then
    replies[at] = wallet(key)
  elseif letter == 'f' then
    replies[at] = redis.call('HGET', key, 'f')
  else
    replies[at] = redis.call('HGETALL', key)
  end
end
return replies
