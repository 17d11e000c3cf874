-- GETs from LuaJIT, on connections that stay open: at a constant rate (an open loop), or one after the other on each
-- connection (a closed loop). bench/paced-load.ts sets the globals that it is made from, and reads the line it prints:
--   port, connections, authority   where to, and through a tunnel to whom, or nil
--   path(n), host, fields          of request n, which counts from 0; field lines, each with its CRLF
--   status, body                   what each answer must be: its code, and the length of its content
--   rate                           requests a second, or nil for a closed loop
--   seconds, total                 how long; how many requests, or nil for as many as there are in that time
--
-- In an open loop request n is due at n / rate, whatever has become of those before it. Its time counts from that moment:
-- one that finds all connections busy has already waited, so that no omission is coordinated with a server that stalls.
local ffi = require('ffi')
ffi.cdef([[
struct timespec { long seconds; long nanoseconds; };
struct pollfd { int fd; short events; short revents; };
struct sockaddr_in { unsigned short family; unsigned short port; unsigned char address[4]; char zero[8]; };
int clock_gettime(int clock, struct timespec *time);
int prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d);
int socket(int domain, int type, int protocol);
int connect(int fd, const struct sockaddr_in *address, unsigned length);
int setsockopt(int fd, int level, int name, const int *value, unsigned length);
long send(int fd, const char *bytes, size_t length, int flags);
long recv(int fd, char *bytes, size_t length, int flags);
int ppoll(struct pollfd *fds, unsigned long count, const struct timespec *timeout, const void *signals);
char *strerror(int number);
]])
local C = ffi.C
local AF_INET, SOCK_STREAM, IPPROTO_TCP, TCP_NODELAY, CLOCK_MONOTONIC, PR_SET_TIMERSLACK = 2, 1, 6, 1, 1, 29
local POLLIN, MSG_DONTWAIT, MSG_TRUNC, MSG_NOSIGNAL, EINTR, EAGAIN = 1, 0x40, 0x20, 0x4000, 4, 11

local largest = 1048576
local longestHead = 4096
local patience = 5 -- seconds that answers may take when no more requests are due

local bytes = ffi.new('char[?]', largest)
local polled = ffi.new('struct pollfd[?]', connections)
local time = ffi.new('struct timespec')
local content = status == 304 and 0 or body

local heads = {} -- by connection, what has come of a head that is not complete
local missing = {} -- by connection, bytes of content that are still to come; nil outside of content
local due = {} -- by connection, when its request should have been sent
local free, firstFree, lastFree = {}, 1, 0 -- connections without a request; the one that has rested longest comes first
local waits = {}
local asked, begun, received = 0, 0, 0

local function fail(...)
  io.stderr:write(string.format(...), '\n')
  os.exit(1)
end

local function complain(what)
  fail('%s: %s', what, ffi.string(C.strerror(ffi.errno())))
end

local function now()
  C.clock_gettime(CLOCK_MONOTONIC, time)
  return tonumber(time.seconds) + tonumber(time.nanoseconds) * 1e-9
end

local function transmit(fd, text)
  if C.send(fd, text, #text, MSG_NOSIGNAL) ~= #text then complain('a request cannot be sent') end
end

-- The number of bytes that have come, 0 if there are none at hand.
local function take(fd, flags)
  local size = tonumber(C.recv(fd, bytes, largest, MSG_DONTWAIT + flags))
  if size == 0 then fail('the server has closed a connection') end
  if size > 0 then return size end
  if ffi.errno() ~= EAGAIN and ffi.errno() ~= EINTR then complain('an answer cannot be received') end
  return 0
end

local function dial()
  local address = ffi.new('struct sockaddr_in')
  address.family = AF_INET
  address.port = bit.bor(bit.lshift(bit.band(port, 255), 8), bit.rshift(port, 8))
  for part, number in ipairs({ 127, 0, 0, 1 }) do address.address[part - 1] = number end
  local fd = C.socket(AF_INET, SOCK_STREAM, 0)
  if fd < 0 or C.connect(fd, address, ffi.sizeof(address)) ~= 0 then complain('no connection') end
  C.setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, ffi.new('int[1]', 1), 4)
  return fd
end

-- Makes the connection one to the authority (RFC 9110 §9.3.6).
local function tunnel(fd)
  transmit(fd, string.format('CONNECT %s HTTP/1.1\r\nHost: %s\r\n\r\n', authority, authority))
  local one = ffi.new('struct pollfd[1]', { { fd, POLLIN, 0 } })
  local head = ''
  while not head:find('\r\n\r\n', 1, true) do
    if C.ppoll(one, 1, ffi.new('struct timespec', patience, 0), nil) == 0 then fail('no answer to CONNECT') end
    head = head .. ffi.string(bytes, take(fd, 0))
  end
  if not head:find('^HTTP/1%.[01] 2%d%d') or not head:find('\r\n\r\n$') then fail('no tunnel: %s', head) end
end

local function release(connection)
  lastFree = lastFree + 1
  free[lastFree] = connection
end

local function ask(moment)
  local connection = free[firstFree]
  free[firstFree] = nil
  firstFree = firstFree + 1
  due[connection] = rate and begun + asked / rate or moment
  transmit(polled[connection].fd, string.format('GET %s HTTP/1.1\r\nHost: %s\r\n%s\r\n', path(asked), host, fields))
  asked = asked + 1
end

-- Bytes of content that the first part of an answer leaves to come; nil if its head is not complete.
local function begin(connection, size)
  local known = #heads[connection]
  local text = heads[connection] .. ffi.string(bytes, math.min(size, longestHead))
  local _, last = text:find('\r\n\r\n', 1, true)
  if not last and #text >= longestHead then fail('the head of an answer is too long: %s', text) end
  heads[connection] = last and '' or text
  if not last then return nil end
  local head = text:sub(1, last)
  local length = tonumber(head:lower():match('\r\ncontent%-length: *(%d+)\r\n'))
  if tonumber(head:sub(10, 12)) ~= status or (status ~= 304 and length ~= content) then
    fail('not a %d with %d bytes: %s', status, content, head)
  end
  return content - (known + size - last)
end

-- Whether the answer is complete with what has come now.
local function receive(connection)
  local before = missing[connection]
  -- Content that nobody looks at is not even copied.
  local size = take(polled[connection].fd, before and MSG_TRUNC or 0)
  if size == 0 then return false end
  received = received + size
  local rest
  if before then rest = before - size else rest = begin(connection, size) end
  if rest and rest < 0 then fail('more than one answer has come to one request') end
  missing[connection] = rest ~= 0 and rest or nil
  return rest == 0
end

local function receiveAll(ready)
  for connection = 0, connections - 1 do
    if ready <= 0 then return end
    if polled[connection].revents ~= 0 then
      ready = ready - 1
      if receive(connection) then
        waits[#waits + 1] = now() - due[connection]
        release(connection)
      end
    end
  end
end

local function mayAsk()
  return firstFree <= lastFree and (not total or asked < total)
end

-- Until the next request is due or an answer comes; how many connections have something.
local function wait(moment)
  local span = 0.5
  if rate and mayAsk() then span = math.min(span, math.max(0, begun + asked / rate - moment)) end
  time.seconds = 0
  time.nanoseconds = span * 1e9
  return C.ppoll(polled, connections, time, nil)
end

local function load()
  begun = now()
  while true do
    local moment = now()
    if #waits == total or (not total and moment - begun >= seconds) then return moment - begun end
    if moment - begun > seconds + patience then fail('%d of %d requests have no answer', total - #waits, total) end
    while mayAsk() and (not rate or begun + asked / rate <= moment) do ask(moment) end
    receiveAll(wait(moment))
  end
end

C.prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0)
for connection = 0, connections - 1 do
  polled[connection].fd = dial()
  polled[connection].events = POLLIN
  if authority then tunnel(polled[connection].fd) end
  heads[connection] = ''
  release(connection)
end
local took = load()
table.sort(waits)
local function quantile(share)
  return (waits[math.max(1, math.ceil(share * #waits))] or 0) * 1e6
end
local line = 'measured {"requests":%d,"seconds":%.6f,"bytes":%.0f,"failures":0,"p50Microseconds":%.1f,"p99Microseconds":%.1f}\n'
io.write(line:format(#waits, took, received, quantile(0.5), quantile(0.99)))
