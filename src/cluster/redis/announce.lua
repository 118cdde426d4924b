-- Announces an instance, removes the instances that have been silent for too long, and lists the members. All times
-- are by Redis's own clock.
--
-- KEYS[1]  sorted set of instance ids; the score is the time of the last announcement as Unix time in ms
-- ARGV[1]  instance id; empty to list the members without announcing anybody
-- ARGV[2]  ms of silence after which an instance is removed
-- result   { now in ms, 1 if this instance was a member before or else 0, instance id, … }

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now - ARGV[2]))
-- Scores in the future remain when a failover sets the clock back. Live instances announce themselves again soon.
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
