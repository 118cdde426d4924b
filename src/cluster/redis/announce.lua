-- Announces an instance, forgets those that have been silent, and lists who is there, all by Redis's own clock.
--
-- KEYS[1]  sorted set of instance ids, by the ms at which they announced themselves last
-- ARGV[1]  instance id; empty to look only
-- ARGV[2]  ms of silence after which an instance is gone
-- result   { now in ms, 1 when this instance was there before or else 0, instance id, … }

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now - ARGV[2]))
-- The clock went back (another server has taken over): who lives announces itself again soon.
redis.call('ZREMRANGEBYSCORE', KEYS[1], string.format('(%.0f', now), '+inf')
local was = 0
if redis.call('ZSCORE', KEYS[1], ARGV[1]) then
  was = 1
end
if ARGV[1] ~= '' then
  redis.call('ZADD', KEYS[1], string.format('%.0f', now), ARGV[1])
  redis.call('PEXPIRE', KEYS[1], ARGV[2] * 10)
end
local result = { now, was }
for _, member in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  result[#result + 1] = member
end
return result
