"""The Lua program with which a router finds out by itself whether its host still counts in the space."""

from __future__ import annotations

EVERY = 1000  # ms between two rounds
STARTING = "starting"  # the name of a file beside the socket that is there while the service starts


def render(folder: str, run: str) -> str:
    """The program's text: `folder` has the configuration's files, `run` the socket."""
    values = {"@FOLDER@": folder, "@STARTING@": f"{run}/{STARTING}", "@EVERY@": str(EVERY)}
    text = _PROGRAM
    for name, value in values.items():
        text = text.replace(name, value)
    return text


# Who has just booted may have been left out meanwhile: it asks everybody once before the front may use it. A reload
# goes on as it was. What one peer said holds until the host itself is told a newer number: the peer may be gone, or
# left out itself, when it is asked again. A peer that does not answer says nothing.
_PROGRAM = """\
local counts = io.open("@STARTING@") == nil
local out_since = 0

local function roll()
  local found = { number = 0, host = "", peers = {} }
  local file = io.open("@FOLDER@/roll.lst")
  if file == nil then return found end
  for line in file:lines() do
    local word, value, port = string.match(line, "^(%S+) (%S+) ?(%d*)$")
    if word == "number" then found.number = tonumber(value) end
    if word == "host" then found.host = value end
    if word == "peer" then found.peers[#found.peers + 1] = { value, tonumber(port) } end
  end
  file:close()
  return found
end

local function ask(peer, host)
  local connection = core.tcp()
  connection:settimeout(1)
  local answer = nil
  if connection:connect(peer[1], peer[2]) then
    connection:send("GET /-/out/" .. host .. " HTTP/1.0\\r\\nHost: router\\r\\n\\r\\n")
    answer = connection:receive("*a")
  end
  connection:close()
  return tonumber(string.match(answer or "", "\\r\\n\\r\\n(%d+)")) or 0
end

core.register_task(function()
  while true do
    local known = roll()
    for _, peer in ipairs(known.peers) do
      out_since = math.max(out_since, ask(peer, known.host))
      if out_since > known.number then counts = false end
    end
    counts = out_since <= roll().number
    core.msleep(@EVERY@)
  end
end)

core.register_fetches("counts", function(txn)
  if counts then return "yes" end
  return "no"
end)
"""
