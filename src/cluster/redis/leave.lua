-- Removes an instance from the members, unless another process is a member under its id.
--
-- KEYS[1]  sorted set of instance ids, as in announce.lua
-- KEYS[2]  hash of incarnations, as in announce.lua
-- ARGV[1]  instance id
-- ARGV[2]  incarnation of the process

local incarnation = redis.call('HGET', KEYS[2], ARGV[1])
if not incarnation or incarnation == ARGV[2] then
  redis.call('ZREM', KEYS[1], ARGV[1])
  redis.call('HDEL', KEYS[2], ARGV[1])
end
