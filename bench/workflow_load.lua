-- Posts the same message again and again; every answer must be a 2xx that holds what was looked up.
local body = '{"order":{"id":1042,"kind":"text"},"from":"15550001111","name":"Ada Lovelace","note":"'
  .. string.rep("Where is my order? ", 20) .. '"}'

wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = body

function done(summary, latency)
  local errors = summary.errors
  print(string.format(
    '{"requests":%d,"seconds":%.6f,"failed":%d,"not_2xx":%d,"p50_ms":%.3f,"p99_ms":%.3f}',
    summary.requests, summary.duration / 1e6,
    errors.connect + errors.read + errors.write + errors.timeout, errors.status,
    latency:percentile(50) / 1000, latency:percentile(99) / 1000))
end
