-- Load for `bench ingest`: distinct signed deliveries from bodies.tsv, each line "signature(64) TAB body(fixed width)".
-- Environment: BODIES (the file), WPATH (path, default /webhooks/meta), WSTART (first line).
--
--   python bench/make_deliveries.py 60000 APP_SECRET PHONE_NUMBER_ID > bodies.tsv
--   taskset -c 0 python -m uvicorn backend_api.app:app --loop uvloop --http httptools --no-access-log
--   BODIES=bodies.tsv taskset -c 1 wrk -t1 -c32 -d6s -s bench/ingest_load.lua http://127.0.0.1:8000/
--
-- Prints one line of JSON. Take turns with the peer and compare within a turn: on a shared machine the absolute figures
-- of two turns differ by a factor of two, their ratio hardly. CPU time of the server per request (utime + stime of
-- /proc/PID/stat over the turn) is the steadiest figure. PostgreSQL with fsync and synchronous_commit on.
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
