-- Counts the uses of one key over all instances, and grants further uses to one of them.
--
-- KEYS[1]  a hash: the uses that each instance has taken in this window. It expires with the window
-- ARGV[1]  the instance
-- ARGV[2]  all uses that the instance has taken in this window. Absolute, so that a repeated call and a Redis that
--          lost its data do no harm
-- ARGV[3]  how many more the instance asks for
-- ARGV[4]  the limit
-- ARGV[5]  ms until the window ends, if this call begins it
-- ARGV[6…] the uses of all instances as of the caller's last answer in this window: instance, uses, instance, uses…
--          A Redis that lost its data takes them over
--
-- Returns {uses granted, uses of the other instances, ms until the window ends, {instance, uses, instance, uses…}}.
local key, instance = KEYS[1], ARGV[1]
local used, wanted, limit = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])

if #ARGV > 5 and redis.call('EXISTS', key) == 0 then
  redis.call('HSET', key, unpack(ARGV, 6))
end
redis.call('HSET', key, instance, used)
local known, total = redis.call('HGETALL', key), 0
for i = 2, #known, 2 do
  total = total + tonumber(known[i])
end
local granted = math.max(0, math.min(wanted, limit - total))
if granted > 0 then
  redis.call('HINCRBY', key, instance, granted)
end
local left = redis.call('PTTL', key)
if left < 0 then
  left = tonumber(ARGV[5])
  redis.call('PEXPIRE', key, left)
end
return { granted, total - used, left, known }
