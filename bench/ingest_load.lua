-- Load for `bench ingest`: distinct signed deliveries from bodies.tsv, each line "signature(64) TAB body(fixed width)".
-- Environment: BODIES (the file), WPATH (path, default /webhooks/meta), WSTART (first line).
local file = io.open(os.getenv("BODIES") or "bodies.tsv", "rb")
local first = file:read("*l")
local width = #first + 1
file:seek("set", 0)
local text = file:read("*a")
file:close()

local count = math.floor(#text / width)
local path = os.getenv("WPATH") or "/webhooks/meta"
local index = tonumber(os.getenv("WSTART") or "0") % count
local head = "POST " .. path .. " HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: facebookexternalua\r\n"
  .. "Content-Type: application/json\r\nContent-Length: " .. (width - 66) .. "\r\nX-Hub-Signature-256: sha256="
local sub = string.sub

request = function()
  local at = index * width
  index = (index + 1) % count
  return head .. sub(text, at + 1, at + 64) .. "\r\n\r\n" .. sub(text, at + 66, at + width - 1)
end

done = function(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '{"requests":%d,"seconds":%.3f,"failed":%d,"not_2xx":%d,"p50_ms":%.2f,"p99_ms":%.2f}\n',
    summary.requests, summary.duration / 1e6, errors.connect + errors.read + errors.write + errors.timeout,
    errors.status, latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
