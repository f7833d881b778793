-- The store's clock was set: the ledger's goes on as the server expects it. KEYS: clock, servers.
-- ARGV from 4: the time expected now, and the generation that it was known in. Of servers that see
-- the same at the same time the first one sets it, and the others take that over.
if tonumber(ARGV[5]) == generation then
    local offset = wall - tonumber(ARGV[4])
    redis.call('HSET', KEYS[1], 'offset', offset, 'generation', generation + 1)
    return {'stepped', wall - offset, generation + 1}
end
return {'stepped', now, generation}
