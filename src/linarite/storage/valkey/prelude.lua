-- What every script begins with. Times are milliseconds.
-- KEYS[1] is the ledger's clock, KEYS[2] until when each server is believed to live.
-- ARGV[1] to ARGV[3] are the ledger's time and generation as the server knows them (-1: not at all),
-- and how much later nobody waits any more.
--
-- The ledger's time is the store's, less an offset: whenever a server sees it jump, by its own clock
-- that never does, it moves the offset (step.lua), and no window ends early or late.
local PARTS = 60
local HOUR, DAY = 3600000, 86400000
local read = redis.call('TIME')
local wall = tonumber(read[1]) * 1000 + math.floor(tonumber(read[2]) / 1000)
local clock = redis.call('HMGET', KEYS[1], 'offset', 'generation')
local now = wall - tonumber(clock[1] or 0)
local generation = tonumber(clock[2] or 0)

-- It comes so long after it was sent that nobody waits for it, or a clock was set: the server knows.
local expected = tonumber(ARGV[1])
if expected >= 0 and (tonumber(ARGV[2]) ~= generation
        or math.abs(now - expected) > tonumber(ARGV[3])) then
    return {'astray', now, generation}
end

-- The number of the day or month (year * 12 + month), in UTC. Days to a date: Howard Hinnant,
-- "chrono-Compatible Low-Level Date Algorithms", civil_from_days.
local function period_at(at, kind)
    local day = math.floor(at / DAY)
    if kind == 'day' then return day end
    local z = day + 719468
    local era = math.floor(z / 146097)
    local doe = z - era * 146097
    local yoe = math.floor((doe - math.floor(doe / 1460) + math.floor(doe / 36524)
        - math.floor(doe / 146096)) / 365)
    local doy = doe - (365 * yoe + math.floor(yoe / 4) - math.floor(yoe / 100))
    local mp = math.floor((5 * doy + 2) / 153)
    local month = mp < 10 and mp + 3 or mp - 9
    local year = yoe + era * 400 + (month <= 2 and 1 or 0)
    return year * 12 + month - 1
end

-- Each kind of window: see(bucket) reads what counts now, wait(bucket) tells when it fits (0 now,
-- -1 never), take(bucket) charges and returns a mark, correct(bucket, mark, difference) settles.
-- A bucket has key, kind, span, limit, amount, and what `see` found.
local kinds = {}

-- Where a deployment's SKU was changed, its bucket goes on with what was admitted in the other way:
-- sliding windows have a field `first`, leaky buckets `level`.
local function carried(b, before, span)
    local other = { key = b.key, span = span or b.span, limit = b.limit }
    before.see(other)
    redis.call('DEL', b.key)
    return math.ceil(other.total)
end

-- The kind in which a bucket counts now, where that is not the one in which it was charged; of a
-- sliding window that has another length now, that length becomes the bucket's.
local function changed_to(b)
    local leaks = redis.call('HEXISTS', b.key, 'level') == 1
    if b.kind == 'sliding' and leaks then return 'leaky' end
    local slides = redis.call('HEXISTS', b.key, 'first') == 1
    if b.kind == 'leaky' and slides and not leaks then return 'sliding' end
    local span = b.kind == 'sliding' and tonumber(redis.call('HGET', b.key, 'span'))
    if span and span ~= b.span then
        b.span = span
        return 'sliding'
    end
end

local sliding = {}
kinds.sliding = sliding

-- The part that it is now. Multiplied first: a part of a second is no whole number of milliseconds,
-- and what was divided by it would now and then lie just before its own part.
local function part_of(b)
    return math.floor(now * PARTS / b.span)
end

-- Each part has its amount in a field of its number, and when the last of it came in one with a t
-- before it.
local function last_in(b, part)
    local told = redis.call('HGET', b.key, 't' .. part)
    return tonumber(told) or (part + 1) * b.span / PARTS
end

-- Begins with what was admitted otherwise: it counts as of now.
local function go_on(b, before)
    local asked = b.amount
    b.amount = before
    if before > 0 then sliding.take(b) end
    b.amount = asked
end

function sliding.see(b)
    local key, part = b.key, part_of(b)
    local state = redis.call('HMGET', key, 'total', 'first', 'last', 'span')
    b.part, b.total, b.first, b.last = part, 0, part, part
    if not state[1] then
        if redis.call('HEXISTS', key, 'level') == 1 then go_on(b, carried(b, kinds.leaky)) end
        return
    end
    local span = tonumber(state[4] or b.span)
    if span ~= b.span then -- its parts have other lengths, and so other numbers
        go_on(b, carried(b, sliding, span))
        return
    end
    local total, first, last = tonumber(state[1]), tonumber(state[2]), tonumber(state[3])
    if last > part + PARTS then -- set back by more than a window: all of it counts as of now
        redis.call('DEL', key)
        redis.call('HSET', key, 'total', total, 'first', part, 'last', part, 'span', b.span,
            part, total, 't' .. part, now)
        first, last = part, part
    elseif last > part then
        part = last
    end
    local oldest = part - PARTS
    if last < oldest then
        redis.call('DEL', key)
        return
    end
    local gone = oldest
    -- Times are cut off to milliseconds: only the next one is surely so long after.
    if first <= oldest and last_in(b, oldest) + b.span < now then gone = oldest + 1 end
    if first < gone then
        while first < gone do
            local amount = redis.call('HGET', key, first)
            if amount then
                total = total - tonumber(amount)
                redis.call('HDEL', key, first, 't' .. first)
            end
            first = first + 1
        end
        redis.call('HSET', key, 'total', total, 'first', first)
    end
    b.part, b.total, b.first, b.last = part, total, first, last
end

function sliding.wait(b)
    if b.total + b.amount <= b.limit then return 0 end
    if b.amount > b.limit then return -1 end
    local total = b.total
    for part = b.first, b.last do
        total = total - tonumber(redis.call('HGET', b.key, part) or 0)
        if total + b.amount <= b.limit then
            return math.min(b.span, math.max(1, math.ceil(last_in(b, part) + b.span + 1 - now)))
        end
    end
    return b.span
end

function sliding.take(b)
    redis.call('HINCRBY', b.key, b.part, b.amount)
    redis.call('HINCRBY', b.key, 'total', b.amount)
    redis.call('HSET', b.key, 'last', b.part, 'span', b.span)
    if b.part == part_of(b) then -- else the clock was set back a little
        redis.call('HSET', b.key, 't' .. b.part, now)
    end
    redis.call('HSETNX', b.key, 'first', b.part)
    redis.call('PEXPIRE', b.key, b.span + HOUR)
    b.total = b.total + b.amount
    return b.part
end

function sliding.correct(b, mark, difference)
    sliding.see(b)
    mark = tonumber(mark)
    if mark >= b.first and redis.call('HEXISTS', b.key, mark) == 1 then
        redis.call('HINCRBY', b.key, mark, difference)
        redis.call('HINCRBY', b.key, 'total', difference)
    elseif difference > 0 then
        b.amount = difference
        sliding.take(b)
    end
end

local fixed = {}
kinds.fixed = fixed

function fixed.see(b)
    local state = redis.call('HMGET', b.key, 'index', 'total')
    b.index, b.total = math.floor(now / b.span), 0
    if state[1] and tonumber(state[1]) == b.index then b.total = tonumber(state[2]) end
end

function fixed.wait(b)
    if b.total < b.limit or b.amount == 0 then return 0 end
    return math.max(1, (b.index + 1) * b.span - now)
end

function fixed.take(b)
    b.total = b.total + b.amount
    redis.call('HSET', b.key, 'index', b.index, 'total', b.total)
    redis.call('PEXPIRE', b.key, b.span + HOUR)
    return b.index
end

function fixed.correct() end

local leaky = {}
kinds.leaky = leaky

function leaky.see(b)
    local state = redis.call('HMGET', b.key, 'level', 'at')
    if not state[1] and redis.call('HEXISTS', b.key, 'first') == 1 then
        b.total = 0
        leaky.put(b, math.min(carried(b, sliding), 2 * b.limit)) -- in a minute it is gone elsewhere
        return
    end
    local level, at = tonumber(state[1] or 0), tonumber(state[2] or now)
    b.total = math.max(0, level - math.max(0, now - at) * b.limit / b.span)
end

function leaky.wait(b)
    return math.max(0, math.ceil((b.total - b.limit) * b.span / b.limit))
end

function leaky.put(b, amount)
    b.total = math.max(0, b.total + amount)
    redis.call('HSET', b.key, 'level', string.format('%.3f', b.total), 'at', now)
    redis.call('PEXPIRE', b.key, math.ceil(b.total * b.span / b.limit) + HOUR)
end

function leaky.take(b)
    b.amount = math.min(b.amount, b.limit)
    leaky.put(b, b.amount)
    return 0
end

function leaky.correct(b, _, difference)
    leaky.see(b)
    leaky.put(b, difference)
end

-- Days and months are of the store's calendar, not of the ledger's clock; the last ones are kept.
local lasting = {}
kinds.day, kinds.month = lasting, lasting

function lasting.see(b)
    b.period = period_at(wall, b.kind)
    b.total = tonumber(redis.call('HGET', b.key, b.period) or 0)
end

function lasting.wait(b)
    if b.total + b.amount <= b.limit then return 0 end
    if b.amount > b.limit then return -1 end
    local over = (math.floor(wall / DAY) + 1) * DAY
    while period_at(over, b.kind) == b.period do over = over + DAY end
    return over - wall
end

function lasting.take(b)
    b.total = redis.call('HINCRBY', b.key, b.period, b.amount)
    if redis.call('HLEN', b.key) > 3 then
        local oldest = b.period
        for _, each in ipairs(redis.call('HKEYS', b.key)) do
            oldest = math.min(oldest, tonumber(each))
        end
        redis.call('HDEL', b.key, oldest)
    end
    redis.call('PEXPIRE', b.key, (b.kind == 'day' and 3 or 63) * DAY)
    return b.period
end

function lasting.correct(b, mark, difference)
    if redis.call('HINCRBY', b.key, mark, difference) < 0 then redis.call('HSET', b.key, mark, 0) end
end

-- Places belong to servers; those of one that has not been heard of are free.
local held = {}
kinds.held = held

local function alive(server)
    local heard = redis.call('HGET', KEYS[2], server)
    return heard and now <= tonumber(heard)
end

function held.see(b)
    local all = redis.call('HGETALL', b.key)
    b.total = 0
    for i = 1, #all, 2 do
        if alive(all[i]) then
            b.total = b.total + tonumber(all[i + 1])
        else
            redis.call('HDEL', b.key, all[i])
        end
    end
end

function held.wait(b)
    if b.total + b.amount <= b.limit then return 0 end
    return b.amount > b.limit and -1 or b.span
end

function held.take(b)
    redis.call('HINCRBY', b.key, b.server, b.amount)
    redis.call('PEXPIRE', b.key, DAY)
    b.total = b.total + b.amount
    return b.server
end

function held.correct(b, mark, difference)
    if redis.call('HEXISTS', b.key, mark) == 0 then return end
    if redis.call('HINCRBY', b.key, mark, difference) <= 0 then redis.call('HDEL', b.key, mark) end
end

local function left_of(b)
    local left = math.floor(b.limit - b.total)
    if b.kind == 'leaky' then return left end -- below zero it is over its rim
    return math.max(0, left)
end

-- What the charges of a reservation's record came to, by ARGV from 4.
local function set_right(record)
    for i, charge in ipairs(record) do
        local difference = tonumber(ARGV[i + 3]) - tonumber(charge[5])
        charge[5] = ARGV[i + 3]
        if difference ~= 0 then
            local b = {
                key = KEYS[i + 3],
                kind = charge[1],
                span = charge[2],
                limit = tonumber(charge[3]),
            }
            local other = changed_to(b)
            if not other then
                kinds[b.kind].correct(b, charge[4], difference)
            elseif difference > 0 then
                b.amount = difference
                kinds[other].see(b)
                kinds[other].take(b)
            end
        end
    end
end
