-- The store's clock was set: the ledger's goes on as the server expects it. KEYS: clock, servers.
-- ARGV: the time expected now, and the generation that it was known in. Servers that see the same
-- at the same time set it once; the others take over what the first one has set.
if tonumber(ARGV[2]) == generation then
    local offset = wall - tonumber(ARGV[1])
    redis.call('HSET', KEYS[1], 'offset', offset, 'generation', generation + 1)
    return {'stepped', wall - offset, generation + 1}
end
return {'stepped', now, generation}
