-- Charges all buckets or none. KEYS: clock, servers, the reservation's record, the buckets.
-- ARGV from 4: the server; then for each bucket its kind, span, limit and amount.
local server = ARGV[4]
local buckets, waits, longest, refusing = {}, {}, 0, 0
for i = 4, #KEYS do
    local at = 5 + (i - 4) * 4
    local b = {
        key = KEYS[i],
        kind = ARGV[at],
        span = tonumber(ARGV[at + 1]),
        limit = tonumber(ARGV[at + 2]),
        amount = tonumber(ARGV[at + 3]),
        server = server,
    }
    if b.kind == 'held' and not alive(server) then return {'unheard', now, generation} end
    kinds[b.kind].see(b)
    local wait = kinds[b.kind].wait(b)
    local length = wait < 0 and math.huge or wait
    if length > longest then longest, refusing, waits[1] = length, i - 3, wait end
    buckets[i - 3] = b
end
local reply = {'', now, generation}
local record = {}
if refusing > 0 then
    reply[1], reply[4], reply[5] = 'full', refusing, waits[1]
else
    reply[1] = 'reserved'
    for i, b in ipairs(buckets) do
        local mark = kinds[b.kind].take(b)
        -- Amounts as text: numbers in JSON are cut to fourteen digits.
        record[i] = {b.kind, b.span, ('%.0f'):format(b.limit), mark, ('%.0f'):format(b.amount)}
    end
    redis.call('SET', KEYS[3], cjson.encode(record), 'PX', DAY)
end
for _, b in ipairs(buckets) do
    reply[#reply + 1] = left_of(b)
end
return reply
