-- What buckets may still be charged; below zero what they took beyond their limits.
-- KEYS: clock, servers, the buckets.
-- ARGV from 4: for each bucket its kind, span and limit.
local reply = {'left', now, generation}
for i = 3, #KEYS do
    local at = 4 + (i - 3) * 3
    local b = {
        key = KEYS[i],
        kind = ARGV[at],
        span = tonumber(ARGV[at + 1]),
        limit = tonumber(ARGV[at + 2]),
    }
    kinds[b.kind].see(b)
    reply[i + 1] = math.floor(b.limit - b.total)
end
return reply
