-- Sets a reservation's charges right, once. KEYS as in reserve.lua.
-- ARGV from 4: what each came to.
local record = redis.call('GETDEL', KEYS[3])
if not record then return {'unknown', now, generation} end
set_right(cjson.decode(record))
return {'settled', now, generation}
