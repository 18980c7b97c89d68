"""The Lua program that lets requests wait at the router while no dyno of their app takes connections (Heroku's H20)."""

from __future__ import annotations

HELD_AT_MOST = 200  # requests of one app: a broken app must not fill the router's connections (4,000) for all others
SURE = 2500  # ms: a check of a dyno that was started again meanwhile has come to its end by then
BOOT_DEADLINE = 75  # seconds: Heroku's limit, for a held request as for an app that counts as crashed afterwards


def render(state_map: str, crashed: str) -> str:
    """The program's text; `state_map` is the file of the apps' intents, `crashed` the folder of this host's dynos that
    wait after crashes: APP.web.N, each with the uptime in seconds until which it does."""
    values = {"@STATE_MAP@": state_map, "@CRASHED@": crashed, "@HELD_AT_MOST@": str(HELD_AT_MOST), "@SURE@": str(SURE)}
    text = _PROGRAM
    for name, value in values.items():
        text = text.replace(name, value)
    return text


# Polling is cheap: what is known of a backend is shared by all its held requests for 20 ms. The count of live servers
# leaves out `hold`, the backup server through which requests come here. `lastchg` says for how long an app has been
# down; it begins anew with a reload, so that a crashed app is waited for once more, which does no harm. A request whose
# client leaves is dropped by HAProxy without a word to Lua: who has not polled for 5 s is no longer counted.
# An app all of whose dynos wait after crashes gets H10 as soon as it is sure that none was started just now. Those of
# this host tell by files, others by the answer to a check (firewall.py), which the kernel gives only so often.
_PROGRAM = """\
local intents = Map.new("@STATE_MAP@", Map._str)
local seen = {}
local held = {}
local away = {}
local count = 0

local function milliseconds()
  local now = core.now()
  return now.sec * 1000 + math.floor(now.usec / 1000)
end

local function slots(be)
  local names = {}
  for name, _ in pairs(core.backends[be].servers) do
    if name ~= "hold" then names[#names + 1] = name end
  end
  return names
end

local function number_in(path)
  local file = io.open(path)
  if file == nil then return nil end
  local number = file:read("n")
  file:close()
  return number
end

local function has_crashed(be, name, facts)
  local key = be .. "/" .. name
  if facts["last_chk"] == "Network is unreachable" then away[key] = true end
  if facts["last_chk"] == "Connection refused" or string.sub(facts["status"], 1, 2) == "UP" then away[key] = nil end
  local waits = number_in("@CRASHED@/" .. string.sub(be, 4) .. "." .. name)
  return away[key] or (waits ~= nil and waits > (number_in("/proc/uptime") or 0))
end

local function look(txn, be)
  local now = milliseconds()
  local view = seen[be]
  if view == nil then
    view = { at = 0, down_at = 0, names = slots(be) }
    seen[be] = view
  end
  if now - view.at < 20 then return view end
  view.at = now
  view.alive = false
  for _, name in ipairs(view.names) do
    if tonumber(txn.f:srv_is_up(be .. "/" .. name)) == 1 then view.alive = true end
  end
  if now - view.down_at >= (view.crashed and 200 or 1000) then
    view.down_at = now
    view.down = nil
    view.crashed = nil
    for _, name in ipairs(view.names) do
      local facts = core.backends[be].servers[name]:get_stats()
      if string.sub(facts["status"], 1, 5) ~= "MAINT" then
        local seconds = tonumber(facts["lastchg"]) or 0
        if view.down == nil or seconds < view.down then view.down = seconds end
        view.crashed = view.crashed ~= false and has_crashed(be, name, facts)
      end
    end
    view.stopping = tonumber(core.get_info()["Stopping"]) == 1
  end
  return view
end

local function others(be)
  local now, number = milliseconds(), 0
  held[be] = held[be] or {}
  for key, at in pairs(held[be]) do
    if now - at > 5000 then held[be][key] = nil else number = number + 1 end
  end
  return number
end

local function wait(txn, be, started, limit, key)
  while true do
    held[be][key] = milliseconds()
    local view = look(txn, be)
    local intent = intents:lookup(be)
    if view.alive or view.stopping then return nil end
    if intent == "maint" then return "H80" end
    if intent == "none" then return "H14" end
    if intent == "crashed" then return "H10" end
    if not txn.req:may_recv() then return "H27" end
    local waited = milliseconds() - started
    if waited > limit then return "H20" end
    local gone = view.down ~= nil and view.down * 1000 > limit and waited < limit / 2
    if (view.crashed or gone) and waited > math.min(@SURE@, limit / 4) then return "H10" end
    core.msleep(20)
  end
end

core.register_action("hold", { "http-req" }, function(txn, limit)
  local be = txn:get_var("txn.be")
  if core.backends[be] == nil then return end
  if others(be) >= @HELD_AT_MOST@ then
    txn:set_var("txn.code", "H11")
    return
  end
  local started = tonumber(txn.f:req_hdr("x-request-start")) or milliseconds()
  count = count + 1
  local key = count
  local code = wait(txn, be, started, tonumber(limit), key)
  held[be][key] = nil
  if code ~= nil then txn:set_var("txn.code", code) end
end, 1)
"""
