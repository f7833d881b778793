-- Sets a reservation's charges right, once. KEYS as in reserve.lua.
-- ARGV from 4: what each came to.
local record = redis.call('GETDEL', KEYS[3])
if not record then return {'unknown', now, generation} end
for i, charge in ipairs(cjson.decode(record)) do
    local difference = tonumber(ARGV[i + 3]) - tonumber(charge[5])
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
return {'settled', now, generation}
