-- Notes what an idempotency key is used for, unless it is in use.
-- KEYS: the key. ARGV: the use as JSON, milliseconds until it is forgotten, the analysis that may be replaced ('' for none).
-- Returns the use that is already there, or nothing.
local there = redis.call('GET', KEYS[1])
if there and cjson.decode(there).analysis_id ~= ARGV[3] then return there end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return false
