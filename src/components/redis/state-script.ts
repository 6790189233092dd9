import { type Script, script } from "./script.ts";

/**
 * All writes of a request, or none. Items are Dapr's: hashes of `data`, `version` (the etag, counted up by each write)
 * and `first-write`, which marks a key that was written with the first-write option: without an etag it is not
 * overwritten. Or JSON documents with these three members.
 *
 * KEYS: one per operation. ARGV: five per operation: `set`, `first` (must not exist without an etag), `fence` (must hold
 * the value that stands in place of the etag; nothing: must not exist) or `delete`; the etag or nothing; the value, for a
 * document with its `data` around it; the time to live in seconds, 0 for none; `hash` or `json`. Reply: 0, or the number
 * of the operation whose etag, option or fence does not hold.
 *
 * What is of another kind is overwritten as Dapr does. `SETRANGE key 0 ""` does nothing but fail when the server has no
 * room: checked first, since a script that fails half-way is not undone.
 */
export const WRITE_SCRIPT: Script = script(`
local n = #KEYS
local function field(key, format, name)
  if format == "json" then return redis.pcall("JSON.GET", key, "." .. name) end
  return redis.pcall("HGET", key, name)
end
for i = 1, n do
  local at = (i - 1) * 5
  local key, kind, etag, format = KEYS[i], ARGV[at + 1], ARGV[at + 2], ARGV[at + 5]
  if etag ~= "" then
    if field(key, format, kind == "fence" and "data" or "version") ~= etag then return i end
  elseif kind == "first" or kind == "fence" then
    if redis.call("EXISTS", key) == 1 then return i end
  elseif kind == "set" then
    if type(field(key, format, "first-write")) == "string" then return i end
  end
  if (kind == "set" and etag == "" and n > 1) or kind == "fence" then
    local room = redis.pcall("SETRANGE", key, 0, "")
    if type(room) == "table" and string.find(room["err"], "OOM", 1, true) then return room end
  end
end
for i = 1, n do
  local at = (i - 1) * 5
  local key, kind, value, ttl, format = KEYS[i], ARGV[at + 1], ARGV[at + 3], ARGV[at + 4], ARGV[at + 5]
  if kind == "delete" then
    redis.call("DEL", key)
  else
    if format == "json" then
      local version = field(key, format, "version")
      if type(version) == "table" then
        redis.call("DEL", key)
        version = 0
      end
      redis.call("JSON.SET", key, "$", value)
      if kind == "first" then redis.call("JSON.SET", key, ".first-write", 0) end
      redis.call("JSON.SET", key, ".version", (tonumber(version) or 0) + 1)
    else
      local done = redis.pcall("HSET", key, "data", value)
      if type(done) == "table" then
        if not string.find(done["err"], "WRONGTYPE", 1, true) then return done end
        redis.call("DEL", key)
        redis.call("HSET", key, "data", value)
      end
      if kind == "first" then redis.call("HSET", key, "first-write", 0) end
      redis.call("HINCRBY", key, "version", 1)
    end
    if ttl == "0" then redis.call("PERSIST", key) else redis.call("EXPIRE", key, ttl) end
  end
end
return 0`);
