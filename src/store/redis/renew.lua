-- Gives a stream a new epoch if it still has the old one, and tells all processes.
-- KEYS: head. ARGV: old epoch, new epoch, PUBLISH or SPUBLISH, its pub/sub channel, the channel's name.
-- Returns the epoch that it has then.
local epoch = redis.call('HGET', KEYS[1], 'epoch')
if epoch ~= ARGV[1] then return epoch end
redis.call('HSET', KEYS[1], 'epoch', ARGV[2])
redis.call(ARGV[3], ARGV[4], table.concat({ '-', '0', '0', ARGV[2], '0', ARGV[5] }, ' '))
return ARGV[2]
