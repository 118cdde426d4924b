-- Announces an instance, removes the instances that have been silent for too long, and lists the members. All times
-- are Unix times in ms by Redis's own clock. An instance is not announced while another process is a member under its id.
--
-- KEYS[1]  sorted set of instance ids; the score is the time of the last announcement
-- KEYS[2]  hash of instance ids; the value is the incarnation of the process that announced itself
-- ARGV[1]  instance id; empty to list the members without announcing an instance
-- ARGV[2]  ms of silence after which an instance is removed
-- ARGV[3]  incarnation of the process
-- result   { current time, 1 if this instance was a member before or else 0, 1 if another process has its id or else 0,
--          instance id, … }

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local silentSince = string.format('%.0f', now - ARGV[2])
for _, silent in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', silentSince)) do
  redis.call('ZREM', KEYS[1], silent)
  redis.call('HDEL', KEYS[2], silent)
end
-- Scores in the future remain when a failover sets the clock back. Live instances announce themselves again soon.
redis.call('ZREMRANGEBYSCORE', KEYS[1], string.format('(%.0f', now), '+inf')
local was = 0
local taken = 0
if ARGV[1] ~= '' then
  local incarnation = redis.call('HGET', KEYS[2], ARGV[1])
  local score = redis.call('ZSCORE', KEYS[1], ARGV[1])
  if score and incarnation and incarnation ~= ARGV[3] then
    taken = 1
  else
    if score then
      was = 1
    end
    redis.call('ZADD', KEYS[1], string.format('%.0f', now), ARGV[1])
    redis.call('HSET', KEYS[2], ARGV[1], ARGV[3])
    redis.call('PEXPIRE', KEYS[1], ARGV[2] * 10)
    redis.call('PEXPIRE', KEYS[2], ARGV[2] * 10)
  end
end
local result = { now, was, taken }
for _, member in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  result[#result + 1] = member
end
return result
