-- For wrk: requests as they stand in a file, one behind the other, over and over; one line of JSON of how it went.

local texts, at = {}, 0

function init(args)
  local file = assert(io.open(args[1], "rb"))
  for text in file:read("*a"):gmatch("([^\1]+)\1") do
    texts[#texts + 1] = text
  end
  file:close()
end

function request()
  at = at % #texts + 1
  return texts[at]
end

function done(summary, latency)
  local errors = summary.errors
  local n_errors = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  io.write(string.format('{"requests":%d,"us":%d,"errors":%d,"p50":%d,"p99":%d,"max":%d}\n', summary.requests,
    summary.duration, n_errors, latency:percentile(50), latency:percentile(99), latency.max))
end
