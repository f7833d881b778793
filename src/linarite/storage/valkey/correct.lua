-- Sets a reservation's charges right as far as they have come: it is to be settled still.
-- KEYS and ARGV as in settle.lua.
local kept = redis.call('GET', KEYS[3])
if not kept then return {'unknown', now, generation} end
local record = cjson.decode(kept)
set_right(record)
redis.call('SET', KEYS[3], cjson.encode(record), 'PX', DAY)
return {'corrected', now, generation}
