-- Takes one unit of a package, once per key.
-- KEYS[1] remaining units, a number; KEYS[2] hash of idempotency key -> number of the sale
-- ARGV[1] the idempotency key, or '' for none
-- Returns the remaining units after a sale; -1: sold out; -2: sold to this key before; -3: no such package.
local key = ARGV[1]
if key ~= '' and redis.call('HEXISTS', KEYS[2], key) == 1 then return -2 end
local remaining = tonumber(redis.call('GET', KEYS[1]))
if not remaining then return -3 end
if remaining <= 0 then return -1 end
if key ~= '' then redis.call('HSET', KEYS[2], key, remaining) end
return redis.call('DECR', KEYS[1])
