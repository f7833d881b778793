-- A server says that it lives. KEYS: clock, servers.
-- ARGV from 4: the server, for how long it is believed, whether it is new.
local server, life, new = ARGV[4], tonumber(ARGV[5]), ARGV[6] == '1'
local all = redis.call('HGETALL', KEYS[2])
local known = false
for i = 1, #all, 2 do
    local believed_until = tonumber(all[i + 1])
    if now > believed_until then
        redis.call('HDEL', KEYS[2], all[i])
    else
        -- The clock was set back: what is far away must not be believed for so long.
        if believed_until > now + life then redis.call('HSET', KEYS[2], all[i], now + life) end
        if all[i] == server then known = true end
    end
end
if not known and not new then return {'unheard', now, generation} end
redis.call('HSET', KEYS[2], server, now + life)
redis.call('PEXPIRE', KEYS[2], DAY)
return {'heard', now, generation}
