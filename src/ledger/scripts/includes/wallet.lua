-- What every script knows about wallets; the layout of a coupon is told in domain/coupon.ts.
--
-- count_live(key, now) -> coupons of a wallet that are neither used up nor past their time. Reads the whole wallet, so it is
-- only asked when the running count is at the limit: coupons leave that count late, because they expire by themselves.
local WALLET_LIMIT = 500
local COUPON_BYTES, FIELD_BYTES = 30, 16
local COUPON_UNUSED, COUPON_RESERVED = 1, 2

local function count_live(key, now)
  local fields, live = redis.call('HGETALL', key), 0
  for i = 1, #fields, 2 do
    if #fields[i] == FIELD_BYTES and #fields[i + 1] == COUPON_BYTES then
      local state, expires = string.byte(fields[i + 1], 2), struct.unpack('>I6', fields[i + 1], 25)
      if (state == COUPON_UNUSED and (expires == 0 or expires >= now)) or state == COUPON_RESERVED then live = live + 1 end
    end
  end
  return live
end
