-- Puts messages into a bounded stream, as far as there is room.
--
-- KEYS[1]   stream
-- ARGV[1]   the most entries that it may hold
-- ARGV[2]   ms after the last message until the stream is deleted, should nobody read it
-- ARGV[3…]  messages
-- result    how many of them were taken: the first ones

local room = tonumber(ARGV[1]) - redis.call('XLEN', KEYS[1])
local taken = math.max(0, math.min(room, #ARGV - 2))
for each = 1, taken do
  redis.call('XADD', KEYS[1], '*', 'm', ARGV[each + 2])
end
if taken > 0 then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
return taken
