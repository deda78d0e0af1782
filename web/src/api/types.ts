// What the portal's endpoints say. Times are RFC 3339 UTC texts, durations and sizes carry their unit
// in their names, a figure that is not known is null.

export type Time = string
export type Role = 'viewer' | 'operator' | 'admin'
export type Severity = 'info' | 'warning' | 'critical'

// ---- POST /api/login {username, password}, GET /api/session, POST /api/logout -------------------
// POST /api/password {old, new} -> 204. 401 wrong password, 429 locked with Retry-After, and until
// the first password is changed 403 with the problem type "password-change-required".
export interface Session {
  user: string
  role: Role
  csrf_token: string
  must_change_password: boolean
  expires: Time | null // null: a token without an end
  site: string // device_id of the gateway
  version: string
}

// application/problem+json (RFC 9457). `errors` names fields that are wrong.
export interface Problem {
  type: string
  title: string
  status: number
  detail: string
  errors?: { field: string; message: string }[]
}

export interface List<T> {
  items: T[]
  next: string | null // cursor for ?after=
}

// ---- GET /api/metrics?minutes=60, topic "metrics" -----------------------------------------------
export interface Metrics {
  time: Time
  system: {
    cpu_percent: number
    cores: number
    load: [number, number, number]
    memory_bytes: number
    memory_used_bytes: number
    temperature_c: number | null
    disk_path: string
    disk_bytes: number
    disk_free_bytes: number
    uptime_s: number
  }
  process: {
    cpu_percent: number
    resident_bytes: number
    anonymous_bytes: number
    threads: number
    uptime_s: number
  }
  rates: {
    // per second, over the last step
    polls: number
    failed_polls: number
    points: number
    published: number
    packets: number // of mesh radios; 0 until there are any
  }
  waiting: number // messages in the outbox
  oldest_waiting_s: number | null
  last_poll_s: number | null // since any device was polled
}

// With ?minutes=N the answer also holds the past; without it, and on the topic, only the present.
export interface MetricsAnswer extends Metrics {
  history: MetricsHistory
}

// The figures of the past: one row a step, null where nothing was measured.
export interface MetricsHistory {
  step_s: number
  from: Time
  columns: ('cpu_percent' | 'memory_used_bytes' | 'temperature_c' | 'disk_free_bytes' | 'polls' | 'failed_polls' | 'points' | 'published' | 'packets' | 'waiting')[]
  rows: (number | null)[][]
}

// ---- GET /api/status, topic "services" -----------------------------------------------------------
export type Life = 'starting' | 'running' | 'pausing' | 'stopping' | 'stopped'
export interface Service {
  name: string // "modbus/main-panel": what POST /api/service/restart {part} takes
  kind: 'source' | 'sink'
  title: string // "Main panel", "MQTT publisher"
  type: string // "modbus", "mqtt", "http", "modbus_gateway", "history"
  life: Life
  state: 'good' | 'warning' | 'alarm' | 'stale' | 'busy'
  state_text: string // "Connected", "Retrying", "Listening"
  detail: string // "1,284 values", "2 brokers"
  since: Time
  restarts: number
  error: string | null
  chain?: ServiceStep[] // what must succeed one after the other until something is delivered
  advice?: string[] // what to look at, in this order
}
export interface ServiceStep {
  step: string // "resolve", "connect", "TLS", "log in", "acknowledged"
  state: 'done' | 'failed' | 'open'
  note: string | null
}

export interface Status {
  time: Time
  version: string
  site: string
  config_hash: string
  overview: Overview
  items: Service[]
  next?: null // all of them are here; not in the topic
  program?: object // what only the program knows of itself
}

export interface Overview {
  state: 'good' | 'warning' | 'alarm'
  headline: string // "Operating normally"
  reasons: string[] // what is not well, worst first, in words
  uptime_s: number
  sources: { type: string; title: string; good: number; all: number; state: 'good' | 'warning' | 'alarm' | 'stale'; note: string; page: string }[]
}

// ---- GET /api/device-health, topic "devices" -----------------------------------------------------
export type DeviceState = 'ok' | 'slow' | 'failing' | 'offline' | 'disabled' | 'starting'
export type OfflineKind = 'no_bytes' | 'bad_crc' | 'exception' | 'wrong_unit' | 'busy_port' | 'no_connection'
export interface Device {
  id: string // "main-panel/meter-1"
  connection: string
  connection_title: string
  line: string // "/dev/ttyS0 9600 8N1"
  name: string
  model: string | null
  profile: string | null
  unit_id: number | null
  state: DeviceState
  kind: OfflineKind | null // of a device that is failing or offline
  condition: string // "answers in 41 ms"
  advice: string[] // what to look at, in this order
  last_good: Time | null
  last_error: string | null
  last_error_at: Time | null
  latency_p50_ms: number | null
  latency_p95_ms: number | null
  success_percent: number | null // of the polls of the last 24 h, or since the start
  achieved_percent: number | null // polls made of those configured
  interval_s: number
  polls: number
  failed: number
  overruns: number
  errors: Record<string, number> // by kind
  backoff_until: Time | null
  published_by: string[] // "HTTP", "MQTT", "TCP"
  points: number
  availability: (number | null)[] // good part of each of the last 60 minutes, oldest first
}

// ---- GET /api/device/<id>/registers?fresh=0, topic "device:<id>" ----------------------------------
export type Quality = 'good' | 'stale' | 'bad'
export interface Point {
  name: string
  title: string
  function: 1 | 2 | 3 | 4 | null
  address: number | null
  registers: number | null
  type: string
  value: number | string | boolean | null
  unit: string
  raw: string | null // "43 66 40 00"
  quality: Quality
  reason: string | null // why there is no good value
  age_s: number | null
  measured: Time | null
  confidence: 'multi' | 'single' | 'model' | 'convention' | null // how sure the address is
  writable: { minimum: number | null; maximum: number | null; step: number | null } | null
  recent: (number | null)[] // the last minute, oldest first
}
export interface Registers {
  device: string
  time: Time
  items: Point[]
  next?: null // all of them are here; not in the topic
}
// POST /api/device/<id>/poll -> 202; POST /api/device/<id>/write {point, value, expected} -> Written
export interface Written {
  device: string
  point: string
  value: number | string | boolean | null
  before: number | string | boolean | null
  now: number | string | boolean | null
  duration_ms: number
}

// ---- GET /api/history?point=&from=&to=&step=&format=json|csv --------------------------------------
export interface HistoryAnswer {
  point: string
  unit: string
  step_s: number | null // null: as it was measured
  tier: 'raw' | 'minute' | 'hour' | 'day'
  from: Time
  to: Time
  // raw: [time_ms, value]; steps: [time_ms, min, avg, max, last, count, coverage]
  columns: string[]
  rows: (number | null)[][]
  truncated: boolean
}

// ---- GET /api/diag/… ------------------------------------------------------------------------------
export interface Hardware {
  board: string | null
  cpu: { model: string; cores: number; architecture: string; frequency_mhz: number | null }
  memory: { bytes: number; used_bytes: number; swap_bytes: number; swap_used_bytes: number }
  temperatures: { name: string; celsius: number; limit_c: number | null }[]
  storage: { path: string; device: string; filesystem: string; bytes: number; free_bytes: number; wear_percent: number | null; holds: string[] }[]
  serial: { device: string; driver: string; by_id: string | null; used_by: string | null }[]
  gpio: { chip: string; label: string; lines: number }[]
  os: string
  kernel: string
}
export interface Network {
  interfaces: { name: string; up: boolean; mac: string | null; speed_mbit: number | null; addresses: string[]; received_bytes: number; sent_bytes: number; errors: number }[]
  routes: { destination: string; via: string | null; interface: string }[]
  dns: string[]
  hostname: string
  reach: { name: string; address: string; ok: boolean; ms: number | null; error: string | null }[]
}
// GET /api/diag/time
export interface ClockState {
  time: Time
  zone: string
  synchronised: boolean | null // null: this system does not say
  source: string | null
  steps: number
  suspends: number
  plausible: boolean
}
// POST /api/diag/ping {host, count}, /api/diag/dns {name}, /api/diag/port {host, port}
// Asked with "Accept: application/x-ndjson" the ping is told as it runs, a PingLine each, and last the
// PingAnswer; closing the connection stops it.
export interface PingLine {
  seq: number
  ms: number | null // null: no answer
}
export interface PingAnswer {
  host: string
  address: string | null
  sent: number
  received: number
  loss_percent: number
  times_ms: (number | null)[]
  error: string | null
}
export interface DnsAnswer {
  name: string
  addresses: string[]
  ms: number
  error: string | null
}
export interface PortAnswer {
  host: string
  port: number
  ok: boolean
  address: string | null
  ms: number | null
  error: string | null
}

// GET /api/diag/lines
export interface Line {
  name: string // "modbus/main-panel"
  title: string
  line: string
  busy_percent: number | null // of the time, over the last minute
  planned_percent: number // what the poll plan needs of the line
  requests: number
  failed: number
  bytes_in: number
  bytes_out: number
  errors: Record<string, number>
  plan: {
    device: string
    function: number
    first: number
    count: number
    interval_s: number
    wire_ms: number
    points: string[]
    note: string | null // "a hole is split around", "no gaps: the device refused"
  }[]
}

// GET /api/diag/frames?line=&device=&kind=&text=&after=, topic "frames:<line>"
export interface Frame {
  seq: number
  time: Time // to the microsecond
  line: string
  direction: 'sent' | 'received'
  bytes: string // hex
  unit: number | null
  function: number | null
  summary: string // "read 10 holding registers from 3027"
  error: string | null // "bad CRC"
  gap_us: number | null // since the frame before
}
// GET /api/diag/frames.pcapng?line=…

// GET /api/diag/explain?about=device:main-panel/meter-1 | line:modbus/main-panel | point:…
export interface Explanation {
  about: string
  answer: string // one sentence
  because: { text: string; figure: string | null }[]
  advice: string[]
}
// GET /api/diag/bundle -> application/gzip

// ---- GET /api/logs?level=&component=&device=&text=&regex=&after=&before=&limit=, topic "logs" -----
export interface LogLine {
  seq: number
  time: Time
  level: 'debug' | 'info' | 'warn' | 'error'
  source: string
  event: string
  fields: Record<string, string | number | boolean>
}

// ---- GET /api/alerts?state=active|acknowledged|cleared, topic "alerts" ----------------------------
// POST /api/alerts/<id>/ack {note}
export interface Alert {
  id: string
  rule: string
  severity: Severity
  state: 'active' | 'acknowledged' | 'cleared'
  text: string
  device: string | null
  point: string | null
  value: string | null
  limit: string | null
  since: Time
  cleared: Time | null
  acknowledged_by: string | null
  acknowledged_at: Time | null
  note: string | null
}

// ---- GET /api/audit?after=&limit= ------------------------------------------------------------------
export interface AuditEntry {
  id: string
  time: Time
  event: string
  user: string
  address: string | null
  detail: string
}

// POST /api/users {name, role, password}: the password is the first one, to be changed at once.
// ---- GET, POST /api/users; DELETE /api/users/<name>; GET, DELETE /api/sessions; …/api/tokens ------
export interface User {
  name: string
  role: Role
  created: Time
  last_login: Time | null
  locked_until: Time | null
  must_change_password: boolean
}
export interface OpenSession {
  id: string
  user: string
  address: string
  user_agent: string
  since: Time
  last_seen: Time
  current: boolean
}
export interface Token {
  id: string
  name: string
  user: string // who made it, and with whom it goes
  role: Role
  created: Time
  expires: Time | null
  last_used: Time | null
}
// POST /api/tokens {name, role, days} -> the one time that the token itself is told
export interface NewToken extends Token {
  token: string
}

// ---- GET /api/live (WebSocket) ---------------------------------------------------------------------
// A topic's data has the shape of its endpoint's answer, with one difference: `items` that have an
// identity are an object keyed by it (device id, service name, point name, alert id), so that a merge
// patch can change or remove one: {"items":{"main-panel/meter-1":{"state":"ok"}}}. Items without one
// (logs, frames) stay lists and grow by {"append":[…],"keep":N}; `keep`, how many of the newest stay, is 5000
// unless said. "devices" {items}, "device:<id>" Registers, "services" Status, "alerts" {items}: active and
// acknowledged, "logs" and "frames:<line>" {items}, "metrics" Metrics.
// A merge patch cannot set a member to null: what becomes null is told by a snapshot, which replaces the data
// and goes on counting. `seq` starts anywhere. One who asks for a topic again gets a snapshot.
// A topic that does not exist (any more) gets an error frame with its name (404) and ends; one that does not
// answer for a while gets one (503) and goes on with a delta, which may be empty.
// Sent: {"subscribe":["metrics"],"unsubscribe":[]}, {"resume":{"metrics":41}}, {"ping":1}.
export type LiveFrame =
  | { type: 'snapshot'; topic: string; seq: number; data: unknown }
  | { type: 'delta'; topic: string; seq: number; data: unknown } // RFC 7396; lists as {"append":[…]}
  | { type: 'error'; topic?: string; problem: Problem }
  | { type: 'pong'; ping: number }
