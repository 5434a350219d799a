"""What the cache's server does in one piece for `pace`: so all workers count together, and none in between.

KEYS[1] is the prefix of all keys; its braces keep them in one slot of a cluster.
"""

# ARGV: JSON of
#   now       seconds since the epoch
#   reserve   the share of common windows that is left to the mails of the house
#   common    windows that every message counts in
#   groups    {name: windows of it}
#   messages  the group's name of each message, in order; "" for one that only counts in `common`
# A window is {key, cap, width, slots, long, ends}: a hash of counts by slot of `width` seconds. This slot and
# `slots` before it count, which is a little more than the window's length: so no span of that length,
# wherever it begins, ever holds more than `cap`. `ends`: it is a day of the calendar, and ends then.
#
# A window that is not there was lost, or is the first. A short one begins full, so that a cache that was
# emptied lets nobody burst; of a long one nothing is given and its key is told, to be counted from rows.
# The answer: how many seconds each message waits (0: it may go, and is counted), and the keys to be counted.
TAKE = """
local ask = cjson.decode(ARGV[1])
local lost = {}
local function room(win, reserved)
  local key = KEYS[1] .. win.key
  local current = math.floor(ask.now / win.width)
  local found = redis.call('HGETALL', key)
  if #found == 0 then
    if win.long then
      lost[#lost + 1] = win.key
      return 0, 1
    end
    redis.call('HSET', key, '0', 0, tostring(current), win.cap)
    redis.call('EXPIRE', key, 172800)
    return 0, win.width * (win.slots + 1)
  end
  local used, oldest = 0, current
  for i = 1, #found, 2 do
    local slot, count = tonumber(found[i]), tonumber(found[i + 1])
    if slot >= current - win.slots then
      used = used + count
      if count > 0 and slot < oldest then oldest = slot end
    elseif slot ~= 0 then
      redis.call('HDEL', key, found[i])
    end
  end
  local cap = win.cap
  if reserved > 0 then
    local left = math.floor(cap * reserved + 0.5)
    if cap >= 10 and left < 1 then left = 1 end
    cap = cap - left
  end
  local wait = (oldest + win.slots + 1) * win.width - ask.now
  if win.ends then wait = win.ends - ask.now end
  return cap - used, math.max(wait, 0.01)
end
local function least(windows, reserved)
  local most, wait = 1e9, 0
  for _, win in ipairs(windows) do
    local free, longer = room(win, reserved)
    if free < most then most = free end
    if free <= 0 and longer > wait then wait = longer end
  end
  return most, wait
end
local free, wait = least(ask.common, ask.reserve)
local frees, waits, taken, total = {}, {}, {}, 0
for name, windows in pairs(ask.groups) do
  frees[name], waits[name] = least(windows, 0)
  taken[name] = 0
end
local answer = {}
for i, name in ipairs(ask.messages) do
  local limited = frees[name] ~= nil
  if limited and frees[name] <= taken[name] then
    answer[i] = {'domain', tostring(waits[name])}
  elseif free <= total then
    answer[i] = {'all', tostring(wait)}
  else
    answer[i] = {'', '0'}
    total = total + 1
    if limited then taken[name] = taken[name] + 1 end
  end
end
local function count(windows, many)
  if many == 0 then return end
  for _, win in ipairs(windows) do
    local key = KEYS[1] .. win.key
    redis.call('HINCRBY', key, tostring(math.floor(ask.now / win.width)), many)
    redis.call('EXPIRE', key, 172800)
  end
end
count(ask.common, total)
for name, windows in pairs(ask.groups) do count(windows, taken[name]) end
return cjson.encode({answer = answer, lost = lost})
"""

# KEYS[1]: prefix. ARGV: a window's key, then slots and counts. Written only where nothing is.
SEED = """
local key = KEYS[1] .. ARGV[1]
if redis.call('EXISTS', key) == 1 then return 0 end
redis.call('HSET', key, '0', 0, unpack(ARGV, 2))
redis.call('EXPIRE', key, 172800)
return 1
"""

# ARGV: a name ("" for everybody), now, seconds; or 0 seconds: as long as its strikes say, from the `from`th
# on, doubling from `base` up to `most`. Strikes within a wait are one. The answer: until when nothing goes.
HOLD = """
local holds, strikes = KEYS[1] .. 'holds', KEYS[1] .. 'strikes'
local name, now, wait = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local from, base, most = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local held = tonumber(redis.call('HGET', holds, name) or 0)
if wait <= 0 then
  if held > now then return tostring(held) end
  local many = redis.call('HINCRBY', strikes, name, 1)
  redis.call('EXPIRE', strikes, 1800)
  if many < from then return '0' end
  wait = math.min(most, base * 2 ^ (many - from))
end
if now + wait > held then
  held = now + wait
  redis.call('HSET', holds, name, tostring(held))
  redis.call('EXPIRE', holds, 7200)
end
return tostring(held)
"""

# ARGV: a group's name, now, seconds between two of its mails, how many. The answer: the first one's turn.
BOOK = """
local key, now = KEYS[1] .. 'turns', tonumber(ARGV[2])
local turn = math.max(tonumber(redis.call('HGET', key, ARGV[1]) or 0), now)
redis.call('HSET', key, ARGV[1], tostring(turn + tonumber(ARGV[3]) * tonumber(ARGV[4])))
redis.call('EXPIRE', key, 172800)
return tostring(turn)
"""
