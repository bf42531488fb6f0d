-- Appends entries to one channel, in order, each as a whole or not at all; trims; wakes the other processes.
-- KEYS: events, head, writers.
-- ARGV: now, most events, most bytes, most milliseconds, an epoch for a new stream, writer, its sequence number,
--       PUBLISH or SPUBLISH, its pub/sub channel, the channel's name, number of entries; then for each entry: number of events,
--       revision that its state replaces ('' without a state), state, events.
-- Returns the epoch, the run of the server and the offset at which that began to append here; then for each entry: 1 or
-- 0 (conflict), first, next.
local events, head, writers = KEYS[1], KEYS[2], KEYS[3]
local now, max_events, max_bytes, max_age = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local writer, sequence, entries = ARGV[6], ARGV[7], tonumber(ARGV[11])

-- tostring() would write large numbers with an exponent.
local function whole(number) return string.format('%.0f', number) end

local known = redis.call('HMGET', head, 'epoch', 'first', 'next', 'bytes', 'revision', 'run', 'began')

local function answer(epoch, run, began, outcome)
  local answer = { epoch, run, began }
  for _, value in ipairs(outcome) do answer[#answer + 1] = value end
  return answer
end

-- The answer may have been lost on its way: the same append again has the same outcome, on the stream as it is now.
local earlier = redis.call('HGET', writers, writer)
if earlier and known[1] then
  local last = cjson.decode(earlier)
  if last.sequence == sequence then return answer(known[1], known[6], tonumber(known[7]), last.outcome) end
end

local epoch, first, next = known[1] or ARGV[5], tonumber(known[2] or 1), tonumber(known[3] or 1)
local bytes, revision = tonumber(known[4] or 0), tonumber(known[5] or 0)
-- A stream whose events have all aged out is removed by Redis.
if redis.call('EXISTS', events) == 0 then first, bytes = next, 0 end

-- A server that restarted may have lost its latest writes: whoever has seen more than was there then must be told.
local run, began = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)'), tonumber(known[7])
if known[6] ~= run then began = next end

local outcome, appended, plays = {}, false, false
local at = 12
for _ = 1, entries do
  local count, replaces, body = tonumber(ARGV[at]), ARGV[at + 1], ARGV[at + 2]
  at = at + 3
  local fits = replaces == '' or tonumber(replaces) == revision
  if fits then
    for i = at, at + count - 1 do
      redis.call('XADD', events, whole(next) .. '-0', 't', ARGV[1], 'b', ARGV[i])
      next, bytes, appended = next + 1, bytes + #ARGV[i], true
    end
    if replaces ~= '' then
      redis.call('HSET', head, 'state', body)
      revision, plays = revision + 1, true
    end
    while appended and first < next do
      local oldest = redis.call('XRANGE', events, '-', '+', 'COUNT', 1)[1]
      if not oldest then first, bytes = next, 0 break end
      first = tonumber(string.match(oldest[1], '^%d+'))
      local age, length = now - tonumber(oldest[2][2]), #oldest[2][4]
      if next - first <= max_events and bytes <= max_bytes and age <= max_age then break end
      redis.call('XTRIM', events, 'MINID', '=', whole(first + 1) .. '-0')
      first, bytes = first + 1, bytes - length
    end
  end
  at = at + count
  outcome[#outcome + 1] = fits and 1 or 0
  outcome[#outcome + 1] = first
  outcome[#outcome + 1] = next
end

redis.call('HSET', head, 'epoch', epoch, 'first', whole(first), 'next', whole(next), 'bytes', whole(bytes), 'revision', whole(revision), 'run', run, 'began', whole(began))
-- What a channel plays, and its offsets, are kept as long as its last event.
redis.call('PEXPIRE', head, ARGV[4])
if appended then redis.call('PEXPIRE', events, ARGV[4]) end
if redis.call('HLEN', writers) > 64 then redis.call('DEL', writers) end
redis.call('HSET', writers, writer, cjson.encode({ sequence = sequence, outcome = outcome }))
redis.call('PEXPIRE', writers, 600000)
if appended or plays then
  redis.call(ARGV[8], ARGV[9], table.concat({ writer, sequence, plays and whole(revision) or '0', epoch, whole(next), ARGV[10] }, ' '))
end
return answer(epoch, run, began, outcome)
