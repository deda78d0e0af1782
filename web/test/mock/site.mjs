// A believable site: two lines, some meters with their values, sinks, alerts, a log. It lives: step() makes
// the next second and returns what has changed, as merge patches by topic.

const iso = (ms = Date.now()) => new Date(ms).toISOString()
const round = (value, digits) => Number(value.toFixed(digits))

// Always the same pictures: a small generator instead of Math.random.
function dice(seed) {
  let state = seed
  return () => {
    state = (state * 1664525 + 1013904223) % 4294967296
    return state / 4294967296
  }
}

const kPower = [
  ['voltage_l1', 'Voltage L1', 3027, 'V', 232.0, 1.2, 1],
  ['voltage_l2', 'Voltage L2', 3029, 'V', 230.8, 1.2, 1],
  ['voltage_l3', 'Voltage L3', 3031, 'V', 231.6, 1.2, 1],
  ['current_l1', 'Current L1', 2999, 'A', 83.4, 2.5, 2],
  ['current_l2', 'Current L2', 3001, 'A', 79.21, 2.5, 2],
  ['current_l3', 'Current L3', 3003, 'A', 87.76, 2.5, 2],
  ['active_power_total', 'Active power', 3059, 'kW', 55.35, 1.4, 2],
  ['reactive_power_total', 'Reactive power', 3067, 'kvar', 11.97, 0.7, 2],
  ['apparent_power_total', 'Apparent power', 3075, 'kVA', 55.99, 1.4, 2],
  ['power_factor_total', 'Power factor', 3083, '', 0.978, 0.004, 3],
  ['frequency', 'Frequency', 3109, 'Hz', 49.95, 0.02, 2],
  ['energy_import', 'Energy import', 2699, 'kWh', 185453.8, 0, 1],
  ['energy_export', 'Energy export', 2701, 'kWh', 414.7, 0, 1],
]

function device(connection, title, line, id, name, model, unit, state, more = {}) {
  const good = state === 'ok' ? 1 : state === 'slow' ? 0.97 : state === 'failing' ? 0.7 : 0
  const random = dice(id.length * 97 + unit)
  return {
    id: `${connection}/${id}`, connection, connection_title: title, line, name, model, profile: 'basic_power', unit_id: unit, state,
    kind: null, condition: 'answers as expected', advice: [], last_good: iso(Date.now() - 400), last_error: null, last_error_at: null,
    latency_p50_ms: 38, latency_p95_ms: 61, success_percent: good === 1 ? 100 : good * 100, achieved_percent: 100, interval_s: 10,
    polls: 8640, failed: 0, overruns: 0, errors: {}, backoff_until: null, published_by: ['HTTP', 'MQTT', 'TCP'], points: kPower.length,
    availability: Array.from({ length: 60 }, () => (good === 1 ? 1 : good === 0 ? 0 : random() < good ? 1 : round(random() * 0.9, 2))),
    ...more,
  }
}

export function makeSite(scenario = 'normal') {
  const empty = scenario === 'empty'
  const random = dice(7)
  const noise = size => (random() - 0.5) * 2 * size
  const started = Date.now() - (41 * 24 + 6) * 3600_000
  const many = scenario === 'many' ? 500 : 0

  const devices = empty ? [] : [
    device('main-panel', 'Main electrical panel', '/dev/ttyS0 9600 8N1', 'meter-1', 'Incomer meter', 'Schneider EM6400', 1, 'ok'),
    device('main-panel', 'Main electrical panel', '/dev/ttyS0 9600 8N1', 'meter-2', 'Lighting board', 'Schneider EM6400', 2, 'ok', { latency_p50_ms: 41, success_percent: 99.9, polls: 8640, failed: 9, errors: { timeout: 9 }, last_error: 'timeout', last_error_at: iso(Date.now() - 7200_000) }),
    device('main-panel', 'Main electrical panel', '/dev/ttyS0 9600 8N1', 'meter-7', 'Pump station', 'Elmeasure LG5310', 7, 'slow', {
      latency_p50_ms: 812, latency_p95_ms: 2100, success_percent: 96.2, failed: 328, errors: { timeout: 301, 'bad CRC': 27 }, condition: 'answers, but takes 812 ms where others take 40',
      advice: ['Look whether another master asks the same unit', 'Raise the timeout of this device above 2.1 s', 'Check the termination of the far end of the line'], last_error: 'timeout after 3 s', last_error_at: iso(Date.now() - 95_000), kind: null,
    }),
    device('remote-panel', 'Remote panel', '192.168.1.100:502', 'pv-a', 'PV inverter A', 'SunSpec', 1, 'ok', { latency_p50_ms: 12, latency_p95_ms: 19, success_percent: 99.8, interval_s: 5 }),
    device('remote-panel', 'Remote panel', '192.168.1.100:502', 'meter-3', 'Remote meter', 'Elmeasure LG5310', 3, 'offline', {
      kind: 'no_bytes', latency_p50_ms: null, latency_p95_ms: null, success_percent: 0, failed: 8640, errors: { timeout: 8640 }, condition: 'not one byte since 02:14',
      advice: ['Is the meter powered?', 'Are A and B swapped, or is a wire loose?', 'Is unit 3 set at the meter?'], last_good: iso(Date.now() - 9 * 3600_000), last_error: 'timeout after 3 s', last_error_at: iso(Date.now() - 3000), backoff_until: iso(Date.now() + 42_000), achieved_percent: 12,
    }),
    device('relays', 'Relay cabinet', '192.168.1.120:502', 'relay-1', 'Feeder relays', null, 9, 'ok', { latency_p50_ms: 6, latency_p95_ms: 8, profile: null, points: 4, interval_s: 1 }),
    ...Array.from({ length: many }, (_, i) => device(`hall-${1 + Math.floor(i / 50)}`, `Hall ${1 + Math.floor(i / 50)}`, `10.0.${Math.floor(i / 50)}.2:502`, `m${i}`, `Meter ${i}`, 'Eastron SDM120', 1 + (i % 200), i % 37 === 3 ? 'slow' : 'ok')),
  ]

  const points = {}
  for (const one of devices) {
    const list = one.id === 'relays/relay-1'
      ? [
          { name: 'feeder_1', title: 'Feeder 1', function: 1, address: 0, registers: 1, type: 'bool', value: true, unit: '', writable: { minimum: null, maximum: null, step: null } },
          { name: 'feeder_2', title: 'Feeder 2', function: 1, address: 1, registers: 1, type: 'bool', value: false, unit: '', writable: { minimum: null, maximum: null, step: null } },
          { name: 'setpoint', title: 'Temperature set point', function: 3, address: 20, registers: 1, type: 'uint16', value: 21.5, unit: '°C', writable: { minimum: 0, maximum: 90, step: 0.1 } },
          { name: 'ambient', title: 'Ambient temperature', function: 4, address: 4, registers: 1, type: 'int16', value: -4.2, unit: '°C', wander: 0.1, digits: 1 },
        ]
      : kPower.map(([name, title, address, unit, value, wander, digits]) => ({ name, title, function: 3, address, registers: 2, type: 'float32', value, unit, wander, digits, middle: value }))
    const off = one.state === 'offline'
    points[one.id] = list.map(point => ({
      writable: null, confidence: 'multi', raw: '43 66 40 00', quality: off ? 'bad' : 'good', reason: off ? 'timeout' : null, age_s: off ? null : 0.4, measured: off ? one.last_good : iso(), wander: 0, digits: 1, middle: point.value, ...point,
      value: off ? null : point.value,
      recent: Array.from({ length: 60 }, () => (off || typeof point.value !== 'number' ? null : round(point.value + noise(point.wander ?? 0), 3))),
    }))
  }

  const services = empty
    ? [{ name: 'history', kind: 'sink', title: 'History', type: 'history', life: 'running', state: 'good', state_text: 'Running', detail: '0 values', since: iso(started), restarts: 0, error: null }]
    : [
        ['modbus/main-panel', 'source', 'Main electrical panel', 'modbus', 'warning', 'Slow', '3 devices'],
        ['modbus/remote-panel', 'source', 'Remote panel', 'modbus', 'good', 'Connected', '2 devices'],
        ['modbus/relays', 'source', 'Relay cabinet', 'modbus', 'good', 'Connected', '1 device'],
        ['http', 'sink', 'HTTP publisher', 'http', 'good', 'Running', 'last 0.6 s ago'],
        ['mqtt', 'sink', 'MQTT publisher', 'mqtt', 'good', 'Connected', '2 brokers'],
        ['modbus_gateway', 'sink', 'Modbus TCP gateway', 'modbus_gateway', 'good', 'Listening', '3 clients'],
        ['telegram', 'sink', 'Alert notifier', 'telegram', 'warning', 'Retrying', 'answered 429'],
        ['history', 'sink', 'History', 'history', 'good', 'Running', '1,284 values'],
      ].map(([name, kind, title, type, state, state_text, detail]) => ({ name, kind, title, type, life: state === 'warning' ? 'pausing' : 'running', state, state_text, detail, since: iso(started), restarts: 0, error: state === 'warning' ? 'try again in 8 s' : null }))

  const overview = () => ({
    state: empty ? 'good' : 'warning',
    headline: empty ? 'Nothing to do yet' : 'Two things need attention',
    reasons: empty ? [] : ['1 device is silent: Remote meter', 'Alert notifier is retrying'],
    uptime_s: (Date.now() - started) / 1000,
    sources: empty ? [] : [
      { type: 'modbus', title: 'Modbus', good: devices.filter(d => d.state === 'ok').length, all: devices.length, state: 'warning', note: '1 timing out', page: '/devices' },
      { type: 'iec61850', title: 'IEC 61850', good: 2, all: 2, state: 'good', note: 'reports on', page: '/devices' },
    ],
  })

  const alerts = empty ? [] : [
    { id: 'a1', rule: 'device-silent', severity: 'critical', state: 'active', text: 'Remote meter does not answer', device: 'remote-panel/meter-3', point: null, value: null, limit: null, since: iso(Date.now() - 9 * 3600_000), cleared: null, acknowledged_by: null, acknowledged_at: null, note: null },
    { id: 'a2', rule: 'sink-behind', severity: 'warning', state: 'active', text: 'Alert notifier cannot deliver', device: null, point: null, value: '429', limit: '2xx', since: iso(Date.now() - 640_000), cleared: null, acknowledged_by: null, acknowledged_at: null, note: null },
    { id: 'a3', rule: 'device-slow', severity: 'warning', state: 'acknowledged', text: 'Pump station answers slowly', device: 'main-panel/meter-7', point: null, value: '812 ms', limit: '500 ms', since: iso(Date.now() - 26 * 3600_000), cleared: null, acknowledged_by: 'anna', acknowledged_at: iso(Date.now() - 25 * 3600_000), note: 'Cable is renewed on Tuesday' },
  ]
  const cleared = empty ? [] : Array.from({ length: 23 }, (_, i) => ({ id: `c${i}`, rule: 'undervoltage', severity: i % 5 ? 'warning' : 'info', state: 'cleared', text: 'Voltage L1 below its limit', device: 'main-panel/meter-1', point: 'voltage_l1', value: '205.1 V', limit: '207 V', since: iso(Date.now() - (i + 2) * 7_000_000), cleared: iso(Date.now() - (i + 2) * 7_000_000 + 500_000), acknowledged_by: i % 2 ? 'anna' : null, acknowledged_at: i % 2 ? iso(Date.now() - (i + 2) * 6_900_000) : null, note: null }))

  let seq = 0
  const events = [
    ['info', 'modbus/main-panel', 'device answered', { device: 'main-panel/meter-1', ms: 38 }],
    ['debug', 'modbus/main-panel', 'request sent', { unit: 1, function: 3, first: 3027, count: 6 }],
    ['info', 'mqtt', 'batch acknowledged', { broker: 'mqtt.example.com', messages: 12 }],
    ['warn', 'modbus/remote-panel', 'device does not answer', { device: 'remote-panel/meter-3', kind: 'no_bytes', again_in: '42 s' }],
    ['info', 'http', 'batch delivered', { endpoint: 'https://ingest.example.com/v1', messages: 6, ms: 84 }],
    ['error', 'telegram', 'message refused', { status: 429, again_in: '8 s' }],
  ]
  const logLine = (ms = Date.now()) => {
    const [level, source, event, fields] = events[seq % events.length]
    return { seq: ++seq, time: iso(ms), level, source, event, fields }
  }
  const log = empty ? [] : Array.from({ length: 2400 }, (_, i) => logLine(Date.now() - (2400 - i) * 1000))

  let frame_seq = 0
  const frame = (line, ms = Date.now()) => {
    const sent = frame_seq % 2 === 0
    const bad = frame_seq % 41 === 13
    frame_seq += 1
    return {
      seq: frame_seq, time: new Date(ms).toISOString().replace(/Z$/, `${String(frame_seq % 1000).padStart(3, '0')}Z`), line, direction: sent ? 'sent' : 'received',
      bytes: sent ? '01 03 0B D3 00 06 36 0D' : '01 03 0C 43 68 00 00 43 66 CC CD 43 67 99 9A 1B 2F', unit: 1, function: 3,
      summary: sent ? 'read 6 holding registers from 3027' : '6 registers: 232.0, 230.8, 231.6', error: bad ? 'bad CRC' : null, gap_us: sent ? 61_200 : 38_140,
    }
  }
  const frames = {}
  for (const line of ['modbus/main-panel', 'modbus/remote-panel']) frames[line] = empty ? [] : Array.from({ length: 240 }, (_, i) => frame(line, Date.now() - (240 - i) * 250))

  const kColumns = ['cpu_percent', 'memory_used_bytes', 'temperature_c', 'disk_free_bytes', 'polls', 'failed_polls', 'published', 'packets', 'waiting', 'points']
  const kMemory = 1_004_000_000
  const wave = (i, size, period) => Math.sin((i / period) * 6.28) * size
  const figures = i => [
    39 + wave(i, 4, 47) + noise(3), 462_000_000 + wave(i, 8e6, 90) + noise(3e6), 58.8 + wave(i, 0.8, 70) + noise(0.5), 10.7e9 - i * 1000,
    empty ? 0 : 5.7 + wave(i, 0.4, 61) + noise(0.5), empty ? 0 : 0.04 + Math.max(0, noise(0.05)), empty ? 0 : 1.9 + wave(i, 0.2, 33) + noise(0.3), 0, empty ? 0 : Math.max(0, Math.round(21 + wave(i, 8, 29) + noise(5))),
    empty ? 0 : 74 + wave(i, 5, 61) + noise(6),
  ]
  let row = figures(0)
  function metrics() {
    return {
      time: iso(),
      system: { cpu_percent: round(row[0], 1), cores: 4, load: [0.84, 0.71, 0.66], memory_bytes: kMemory, memory_used_bytes: Math.round(row[1]), temperature_c: round(row[2], 1), disk_path: '/var/lib/lightship', disk_bytes: 28_900_000_000, disk_free_bytes: Math.round(row[3]), uptime_s: 6_000_000 },
      process: { cpu_percent: 1.2, resident_bytes: 21_400_000, anonymous_bytes: 12_100_000, threads: 6, uptime_s: (Date.now() - started) / 1000 },
      rates: { polls: round(row[4], 2), failed_polls: round(row[5], 3), points: round(row[9], 1), published: round(row[6], 2), packets: 0 },
      waiting: row[8], oldest_waiting_s: row[8] ? 0.8 : null, last_poll_s: empty ? null : 0.4,
    }
  }
  function history(minutes) {
    const step_s = minutes <= 15 ? 5 : minutes <= 60 ? 10 : minutes <= 360 ? 60 : 300
    const n = Math.floor((minutes * 60) / step_s)
    return {
      step_s, from: iso(Date.now() - n * step_s * 1000), columns: kColumns,
      rows: Array.from({ length: n }, (_, i) => (i > n * 0.62 && i < n * 0.66 ? kColumns.map((_, c) => (c > 3 && c < 7 ? 0.2 : figures(i)[c])) : figures(i))),
    }
  }

  const status = () => ({ time: iso(), version: '0.9.0', site: 'Harbor Substation 4', config_hash: '5f1c', overview: overview(), items: services })
  const shownPoint = ({ wander, digits, middle, ...point }) => point
  const byId = (list, key = 'id') => Object.fromEntries(list.map(one => [one[key], one]))

  // One second later.
  let tick = 0
  function step() {
    tick += 1
    row = figures(tick)
    const changes = { metrics: metrics(), services: { overview: { uptime_s: overview().uptime_s } } }
    const deviceChange = {}
    for (const one of devices) {
      if (one.state === 'offline') continue
      one.last_good = iso()
      if (tick % 2 === 0 || devices.length < 20) deviceChange[one.id] = { last_good: one.last_good, latency_p50_ms: one.latency_p50_ms, polls: ++one.polls }
      const change = {}
      for (const point of points[one.id]) {
        if (typeof point.value === 'number' && point.wander) point.value = round(point.middle + noise(point.wander), point.digits)
        else if (point.name === 'energy_import') point.value = round(point.value + 0.1, 1)
        point.measured = iso()
        if (typeof point.value === 'number') point.recent = point.recent.slice(1).concat(point.value)
        change[point.name] = { value: point.value, measured: point.measured, recent: typeof point.value === 'number' ? { append: [point.value], keep: 60 } : {}, age_s: 0 }
        if (typeof point.value !== 'number') delete change[point.name].recent
      }
      changes[`device:${one.id}`] = { time: iso(), items: change }
    }
    changes.devices = { items: deviceChange }
    if (!empty) {
      const line = logLine()
      log.push(line)
      changes.logs = { items: { append: [line], keep: 3000 } }
      for (const name of Object.keys(frames)) {
        const more = [frame(name), frame(name)]
        frames[name].push(...more)
        changes[`frames:${name}`] = { items: { append: more, keep: 2000 } }
      }
    }
    return changes
  }

  function snapshot(topic) {
    if (topic === 'metrics') return metrics()
    if (topic === 'services') return { ...status(), items: byId(services, 'name') }
    if (topic === 'devices') return { items: byId(devices) }
    if (topic === 'alerts') return { items: byId(alerts) }
    if (topic === 'logs') return { items: log.slice(-200) }
    if (topic.startsWith('frames:')) return frames[topic.slice(7)] ? { items: frames[topic.slice(7)] } : undefined
    if (topic.startsWith('device:')) {
      const id = topic.slice(7)
      return points[id] ? { device: id, time: iso(), items: byId(points[id].map(shownPoint), 'name') } : undefined
    }
    return undefined
  }

  function past(name, from, to) {
    const parts = name.split('/')
    const point = points[parts.slice(0, 2).join('/')]?.find(one => one.name === parts[2])
    if (!point) return undefined
    const span = to - from
    const raw = span <= 3600_000
    const step = raw ? 10_000 : span <= 86_400_000 ? 60_000 : 3600_000
    const middle = typeof point.middle === 'number' ? point.middle : 0
    const rows = []
    for (let at = Math.ceil(from / step) * step; at <= to; at += step) {
      const i = at / step
      const value = middle + wave(i, (point.wander || 0.2) * 2, 180) + noise(point.wander || 0.1)
      rows.push(raw ? [at, round(value, 3)] : [at, round(value - point.wander, 3), round(value, 3), round(value + point.wander, 3), round(value, 3), 60, 1])
    }
    return { point: name, unit: point.unit, step_s: raw ? null : step / 1000, tier: raw ? 'raw' : step === 60_000 ? 'minute' : 'hour', from: iso(from), to: iso(to), columns: raw ? ['time', 'value'] : ['time', 'min', 'avg', 'max', 'last', 'count', 'coverage'], rows, truncated: false }
  }

  return { empty, devices, points, services, alerts, cleared, log, frames, status, metrics, history, past, step, snapshot, shownPoint, iso }
}
