-- Appends messages to a bounded stream, as many as it has room for.
--
-- KEYS[1]   stream
-- ARGV[1]   the most entries that the stream may hold
-- ARGV[2]   ms after the last message until Redis deletes the stream if nobody reads it
-- ARGV[3…]  messages
-- result    how many messages were appended, counted from the first

local room = tonumber(ARGV[1]) - redis.call('XLEN', KEYS[1])
local taken = math.max(0, math.min(room, #ARGV - 2))
for each = 1, taken do
  redis.call('XADD', KEYS[1], '*', 'm', ARGV[each + 2])
end
if taken > 0 then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
return taken
