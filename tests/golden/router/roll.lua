local counts = io.open("/run/haproxy/starting") == nil
local out_since = 0

local function roll()
  local found = { number = 0, host = "", peers = {} }
  local file = io.open("/etc/haproxy/roll.lst")
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
    connection:send("GET /-/out/" .. host .. " HTTP/1.0\r\nHost: router\r\n\r\n")
    answer = connection:receive("*a")
  end
  connection:close()
  return tonumber(string.match(answer or "", "\r\n\r\n(%d+)")) or 0
end

core.register_task(function()
  while true do
    local known = roll()
    for _, peer in ipairs(known.peers) do
      out_since = math.max(out_since, ask(peer, known.host))
      if out_since > known.number then counts = false end
    end
    counts = out_since <= roll().number
    core.msleep(1000)
  end
end)

core.register_fetches("counts", function(txn)
  if counts then return "yes" end
  return "no"
end)
