-- The claim script as it is usually published for flash sales: one call per claim. It is here to be measured against, and is
-- kept as simple as those are: no window, no limit but one per user, no idempotency, no event with a state behind it.
-- KEYS: stock counter, set of users who have one, stream of orders.  ARGV: user, order.
-- Replies: 0 claimed, 1 sold out, 2 has one already.
if tonumber(redis.call('GET', KEYS[1])) <= 0 then
  return 1
end
if redis.call('SISMEMBER', KEYS[2], ARGV[1]) == 1 then
  return 2
end
redis.call('DECR', KEYS[1])
redis.call('SADD', KEYS[2], ARGV[1])
redis.call('XADD', KEYS[3], '*', 'user', ARGV[1], 'order', ARGV[2])
return 0
