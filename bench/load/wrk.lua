-- What wrk sends. Arguments after "--": a file with the headers, one a line; a file with the body;
-- the mean pause of a caller between two calls in ms (0: none); and, if every call shall bring
-- another token, a file with tokens, one a line, and the number of the first to be used.
-- At the end one line of JSON is printed; latencies are in microseconds.

local function read(path, how)
  local file = assert(io.open(path, "rb"))
  local text = file:read(how or "*a")
  file:close()
  return text
end

local function lines(path)
  local all = {}
  for line in io.lines(path) do
    all[#all + 1] = line
  end
  return all
end

function init(args)
  wrk.method = "POST"
  wrk.headers["content-type"] = "application/json"
  for _, line in ipairs(lines(args[1])) do
    local name, value = line:match("^(.-): (.*)$")
    wrk.headers[name] = value
  end
  wrk.body = read(args[2])

  local pause = tonumber(args[3])
  if pause > 0 then
    math.randomseed(os.time())
    -- wrk looks for this function only after init
    delay = function()
      return math.random(0, 2 * pause)
    end
  end

  if args[4] then
    local requests = {}
    for number, token in ipairs(lines(args[4])) do
      wrk.headers["authorization"] = "Bearer " .. token
      requests[number] = wrk.format()
    end
    local turn = tonumber(args[5])
    request = function()
      turn = turn % #requests + 1
      return requests[turn]
    end
  end
end

function done(summary, latency)
  local errors = summary.errors
  local line = '{"requests": %d, "seconds": %.6f, "refused": %d, "broken": %d, "p50": %d, "p99": %d}'
  print(line:format(
    summary.requests,
    summary.duration / 1e6,
    errors.status,
    errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50),
    latency:percentile(99)
  ))
end
