// A daemon that is not one: it serves dist/ as the real one does, answers every endpoint of this half and
// speaks the live protocol, over a site that is made up. For tests and development; never shipped.
import { createServer } from 'node:http'
import { createHash, randomBytes } from 'node:crypto'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { extname, join, normalize } from 'node:path'
import { gzipSync } from 'node:zlib'
import * as diag from './diag.mjs'
import { makeSite } from './site.mjs'
import { accept } from './websocket.mjs'

export const kPolicy =
  "default-src 'self'; script-src 'self'; style-src-elem 'self' 'unsafe-inline'; style-src-attr 'none'; img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; worker-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
const kTypes = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript; charset=utf-8', '.css': 'text/css; charset=utf-8', '.svg': 'image/svg+xml', '.woff2': 'font/woff2', '.txt': 'text/plain; charset=utf-8' }
const dist = join(process.env.LIGHTSHIP_WEB_DIST ?? new URL('../../dist', import.meta.url).pathname, '/')
const rank = { viewer: 0, operator: 1, admin: 2 }

export async function startMock({ port = 0, host = '127.0.0.1', scenario = 'normal', tick_ms = 1000 } = {}) {
  let site = makeSite(scenario)
  const users = new Map([
    ['admin', { password: 'lamp-on-the-water', role: 'admin', must_change: false, wrong: 0, locked_until: 0 }],
    ['anna', { password: 'operator-of-the-day', role: 'operator', must_change: false, wrong: 0, locked_until: 0 }],
    ['guest', { password: 'only-looking-here', role: 'viewer', must_change: false, wrong: 0, locked_until: 0 }],
    ['fresh', { password: 'first-password-1', role: 'admin', must_change: true, wrong: 0, locked_until: 0 }],
  ])
  const sessions = new Map()
  const tokens = []
  const audit = []
  const peers = new Set()
  const sockets = new Set()
  const seqs = new Map()
  const failing = new Set() // paths that answer 500
  const delay = { ms: 0 }
  let silent = false // as a process that is stopped: connections stay, nothing is said on them
  const note = (event, user, detail) => audit.unshift({ id: String(audit.length + 1), time: site.iso(), event, user, address: '127.0.0.1', detail })

  const json = (response, status, body, headers = {}) => {
    response.writeHead(status, { 'Content-Type': status >= 400 ? 'application/problem+json' : 'application/json', 'Cache-Control': 'no-store', 'X-Content-Type-Options': 'nosniff', ...headers })
    response.end(body === undefined ? undefined : JSON.stringify(body))
  }
  const problem = (response, status, type, title, detail, headers) => json(response, status, { type, title, status, detail }, headers)
  const sessionOf = request => sessions.get(/(?:^|; )lightship-mock=([0-9a-f]+)/.exec(request.headers.cookie ?? '')?.[1])
  const answerSession = s => ({ user: s.user, role: users.get(s.user).role, csrf_token: s.csrf, must_change_password: users.get(s.user).must_change, expires: new Date(s.until).toISOString(), site: 'Harbor Substation 4', version: '0.9.0' })

  function file(request, response, path, immutable) {
    const full = join(dist, normalize(path))
    if (!full.startsWith(dist) || !existsSync(full) || !statSync(full).isFile()) return problem(response, 404, 'about:blank', 'Not Found', 'There is no such file.')
    const raw = readFileSync(full)
    const type = kTypes[extname(full)] ?? 'application/octet-stream'
    const etag = `"${createHash('sha256').update(raw).digest('hex')}"`
    const headers = {
      'Content-Type': type, ETag: etag, Vary: 'Accept-Encoding', 'Cache-Control': immutable ? 'private, max-age=31536000, immutable' : 'no-cache',
      'Content-Security-Policy': kPolicy, 'X-Content-Type-Options': 'nosniff', 'Referrer-Policy': 'no-referrer',
    }
    if (request.headers['if-none-match'] === etag) return response.writeHead(304, headers).end()
    const packed = extname(full) === '.woff2' ? raw : gzipSync(raw, { level: 9 })
    if (packed !== raw) headers['Content-Encoding'] = 'gzip'
    headers['Content-Length'] = packed.length
    response.writeHead(200, headers).end(request.method === 'HEAD' ? undefined : packed)
  }

  const loginFiles = () => new Set([...readFileSync(join(dist, 'login.html'), 'utf8').matchAll(/\/assets\/[^"]+/g)].map(m => m[0]))
  function page(request, response, url, session) {
    if (url.pathname.startsWith('/assets/')) {
      if (!session && !loginFiles().has(url.pathname) && !/\.woff2$/.test(url.pathname)) return problem(response, 401, 'about:blank', 'Unauthorized', 'Sign in first.')
      return file(request, response, url.pathname, true)
    }
    if (['/boot.js', '/icon.svg', '/licences.txt'].includes(url.pathname)) return file(request, response, url.pathname, false)
    if (url.pathname === '/login' || !session) return file(request, response, 'login.html', false)
    return file(request, response, 'index.html', false)
  }

  const body = request =>
    new Promise(resolve => {
      let text = ''
      request.on('data', part => (text += part))
      request.on('end', () => {
        try {
          resolve(text ? JSON.parse(text) : {})
        } catch {
          resolve({})
        }
      })
    })

  function login(response, { username = '', password = '' }) {
    const user = users.get(username)
    const now = Date.now()
    if (user && user.locked_until > now) return problem(response, 429, 'locked', 'Too Many Requests', 'The account is locked.', { 'Retry-After': Math.ceil((user.locked_until - now) / 1000) })
    if (!user || user.password !== password) {
      if (user && ++user.wrong >= 5) {
        user.locked_until = now + 30_000
        user.wrong = 0
        return problem(response, 429, 'locked', 'Too Many Requests', 'The account is locked.', { 'Retry-After': 30 })
      }
      return problem(response, 401, 'wrong-password', 'Unauthorized', 'User or password is wrong.')
    }
    user.wrong = 0
    const id = randomBytes(16).toString('hex')
    const session = { id: id.slice(0, 8), user: username, csrf: randomBytes(12).toString('hex'), until: now + 12 * 3600_000, since: site.iso(), agent: 'Mozilla/5.0 (X11; Linux x86_64) Chrome/120' }
    sessions.set(id, session)
    note('login', username, 'signed in')
    json(response, 200, answerSession(session), { 'Set-Cookie': `lightship-mock=${id}; HttpOnly; SameSite=Strict; Path=/` })
  }

  const tell = (topic, data) => {
    const seq = (seqs.get(topic) ?? 0) + 1
    seqs.set(topic, seq)
    if (silent) return
    for (const peer of peers) if (peer.topics.has(topic)) peer.send({ type: 'delta', topic, seq, data })
  }

  function api(request, response, url, session, data) {
    const path = decodeURIComponent(url.pathname.slice(4))
    const query = url.searchParams
    const method = request.method
    const may = role => rank[users.get(session.user).role] >= rank[role]
    const needs = role => (may(role) ? false : (problem(response, 403, 'role', 'Forbidden', `This needs the role ${role}.`), true))
    const ok = found => json(response, 200, found)
    if (failing.has(path)) return problem(response, 500, 'about:blank', 'Internal Server Error', 'The disk could not be read: input/output error.')

    if (path === '/session') return ok(answerSession(session))
    if (path === '/metrics') return ok(query.has('minutes') ? { ...site.metrics(), history: site.history(Number(query.get('minutes'))) } : site.metrics())
    if (path === '/status') return ok({ ...site.status(), next: null })
    if (path === '/device-health') return ok({ items: site.devices, next: null })
    if (path === '/diag/hardware') return ok(diag.hardware(site.empty))
    if (path === '/diag/network') return ok(diag.network(site.empty))
    if (path === '/diag/lines') return ok(diag.lines(site.empty))
    if (path === '/diag/time') return ok({ time: site.iso(), zone: 'Europe/Berlin', synchronised: true, source: 'systemd-timesyncd', steps: 0, suspends: 0, plausible: true })
    if (path === '/diag/explain') return ok({ about: query.get('about'), answer: 'The meter answers, but twenty times slower than its neighbours on the same line.', because: [{ text: 'Median answer of this device', figure: '812 ms' }, { text: 'Median of the others on this line', figure: '40 ms' }, { text: 'Time on the wire by the line settings', figure: '58 ms' }], advice: ['Look whether another master asks the same unit', 'Raise the timeout above 2.1 s'] })
    if (path === '/diag/bundle' || path === '/diag/frames.pcapng') {
      response.writeHead(200, { 'Content-Type': 'application/octet-stream', 'Content-Disposition': `attachment; filename="${path.endsWith('pcapng') ? 'frames.pcapng' : 'lightship-support.tar.gz'}"` })
      return response.end(Buffer.from([0x0a, 0x0d, 0x0d, 0x0a]))
    }
    if (path === '/logs') {
      const levels = ['debug', 'info', 'warn', 'error']
      const least = levels.indexOf(query.get('level') ?? 'debug')
      let found = site.log.filter(line => levels.indexOf(line.level) >= least && (!query.get('component') || line.source.split('/')[0] === query.get('component') || line.source === query.get('component')) && (!query.get('device') || JSON.stringify(line).includes(query.get('device'))))
      if (query.has('before')) found = found.filter(line => line.seq < Number(query.get('before')))
      return ok({ items: found.slice(-Number(query.get('limit') ?? 200)), next: null })
    }
    if (path === '/history') {
      const found = site.past(query.get('point'), Date.parse(query.get('from')), Date.parse(query.get('to')))
      if (!found) return problem(response, 404, 'about:blank', 'Not Found', 'There is no such point.')
      if (query.get('format') === 'csv') {
        response.writeHead(200, { 'Content-Type': 'text/csv' })
        return response.end(`${found.columns.join(',')}\n${found.rows.map(row => row.join(',')).join('\n')}\n`)
      }
      return ok(found)
    }
    if (path === '/alerts') {
      const state = query.get('state')
      if (state !== 'cleared') return ok({ items: site.alerts.filter(alert => alert.state === state), next: null })
      const from = Number(query.get('after') ?? 0)
      return ok({ items: site.cleared.slice(from, from + 10), next: from + 10 < site.cleared.length ? String(from + 10) : null })
    }
    const ack = /^\/alerts\/([^/]+)\/ack$/.exec(path)
    if (ack && method === 'POST') {
      if (needs('operator')) return
      const alert = site.alerts.find(one => one.id === ack[1])
      if (!alert) return problem(response, 404, 'about:blank', 'Not Found', 'There is no such alert.')
      Object.assign(alert, { state: 'acknowledged', acknowledged_by: session.user, acknowledged_at: site.iso(), note: data.note || null })
      tell('alerts', { items: { [alert.id]: { state: alert.state, acknowledged_by: alert.acknowledged_by, acknowledged_at: alert.acknowledged_at, note: alert.note } } })
      note('alert', session.user, `acknowledged ${alert.id}`)
      return json(response, 204)
    }
    const of = /^\/device\/(.+)\/(registers|poll|write)$/.exec(path)
    if (of) {
      const points = site.points[of[1]]
      if (!points) return problem(response, 404, 'about:blank', 'Not Found', `There is no device ${of[1]}.`)
      if (of[2] === 'registers') return ok({ device: of[1], time: site.iso(), items: points.map(site.shownPoint), next: null })
      if (needs('operator')) return
      if (of[2] === 'poll') return json(response, 202)
      const point = points.find(one => one.name === data.point)
      if (!point?.writable) return problem(response, 409, 'not-writable', 'Conflict', 'This point may not be written.')
      if (data.expected !== point.value) return problem(response, 409, 'changed', 'Conflict', `The value is ${point.value} by now. Look again, then write.`)
      const before = point.value
      point.value = point.middle = data.value
      point.measured = site.iso()
      tell(`device:${of[1]}`, { items: { [point.name]: { value: point.value, measured: point.measured } } })
      note('write', session.user, `${of[1]}/${point.name} ${before} -> ${data.value}`)
      return ok({ device: of[1], point: point.name, value: data.value, before, now: data.value, duration_ms: 61 })
    }
    if (path === '/service/restart') {
      if (needs(data.part ? 'operator' : 'admin')) return
      note('restart', session.user, data.part ?? 'the program')
      json(response, 202)
      if (!data.part) setTimeout(() => dropAll(), 50)
      return
    }
    if (path === '/diag/ping') {
      if (needs('operator')) return
      const times = []
      response.writeHead(200, { 'Content-Type': 'application/x-ndjson' })
      const timer = setInterval(() => {
        const ms = data.host === '192.0.2.1' ? null : 1 + times.length / 10
        times.push(ms)
        response.write(`${JSON.stringify({ seq: times.length, ms })}\n`)
        if (times.length < data.count) return
        clearInterval(timer)
        const received = times.filter(one => one !== null).length
        response.end(`${JSON.stringify({ host: data.host, address: '192.168.1.1', sent: times.length, received, loss_percent: (1 - received / times.length) * 100, times_ms: times, error: null })}\n`)
      }, 60)
      request.on('close', () => clearInterval(timer))
      response.on('close', () => clearInterval(timer))
      return
    }
    if (path === '/diag/dns') return needs('operator') ? undefined : ok(data.name.endsWith('.invalid') ? { name: data.name, addresses: [], ms: 3, error: 'This name does not exist.' } : { name: data.name, addresses: ['93.184.216.34'], ms: 12.4, error: null })
    if (path === '/diag/port') return needs('operator') ? undefined : ok(data.port === 502 ? { host: data.host, port: 502, ok: true, address: data.host, ms: 3.1, error: null } : { host: data.host, port: data.port, ok: false, address: data.host, ms: null, error: 'The port is closed: connection refused.' })
    if (path === '/password') {
      const user = users.get(session.user)
      if (data.old !== user.password) return problem(response, 401, 'wrong-password', 'Unauthorized', 'The present password is wrong.')
      if ((data.new ?? '').length < 12) return problem(response, 422, 'weak-password', 'Unprocessable', 'At least 12 characters.')
      user.password = data.new
      user.must_change = false
      return json(response, 204)
    }
    if (path === '/logout') {
      for (const [id, one] of sessions) if (one === session) sessions.delete(id)
      return json(response, 204)
    }
    if (path === '/sessions') return ok({ items: [...sessions.values()].map(s => ({ id: s.id, user: s.user, address: '192.168.1.44', user_agent: s.agent, since: s.since, last_seen: site.iso(), current: s === session })), next: null })
    const one = /^\/(sessions|users|tokens)\/(.+)$/.exec(path)
    if (one && method === 'DELETE') {
      if (one[1] === 'sessions') for (const [id, s] of sessions) if (s.id === one[2]) sessions.delete(id)
      if (one[1] !== 'sessions' && needs('admin')) return
      if (one[1] === 'users') users.delete(one[2])
      if (one[1] === 'tokens') tokens.splice(tokens.findIndex(token => token.id === one[2]), 1)
      note(`${one[1]} removed`, session.user, one[2])
      return json(response, 204)
    }
    if (['/users', '/tokens', '/audit'].includes(path) && needs('admin')) return
    if (path === '/users' && method === 'POST') {
      users.set(data.name, { password: data.password, role: data.role, must_change: true, wrong: 0, locked_until: 0 })
      note('user added', session.user, `${data.name} as ${data.role}`)
      return json(response, 201, {})
    }
    if (path === '/users') return ok({ items: [...users].map(([name, user]) => ({ name, role: user.role, created: site.iso(Date.now() - 86_400_000 * 40), last_login: site.iso(Date.now() - 3600_000), locked_until: user.locked_until > Date.now() ? site.iso(user.locked_until) : null, must_change_password: user.must_change })), next: null })
    if (path === '/tokens' && method === 'POST') {
      const token = { id: randomBytes(3).toString('hex'), name: data.name, user: session.user, role: data.role, created: site.iso(), expires: data.days ? site.iso(Date.now() + data.days * 86_400_000) : null, last_used: null }
      tokens.push(token)
      return json(response, 201, { ...token, token: `ls_${randomBytes(20).toString('hex')}` })
    }
    if (path === '/tokens') return ok({ items: tokens, next: null })
    if (path === '/audit') return ok({ items: audit.slice(0, 100), next: null })
    problem(response, 404, 'about:blank', 'Not Found', `There is no endpoint ${path}.`)
  }

  async function answer(request, response) {
    if (silent) return
    const url = new URL(request.url, 'http://mock')
    const session = sessionOf(request)
    if (!url.pathname.startsWith('/api/')) return page(request, response, url, session)
    const data = request.method === 'GET' ? {} : await body(request)
    if (delay.ms) await new Promise(resolve => setTimeout(resolve, delay.ms))
    if (url.pathname === '/api/login') return login(response, data)
    if (!session) return problem(response, 401, 'about:blank', 'Unauthorized', 'Sign in first.')
    if (request.method !== 'GET' && request.headers['x-csrf-token'] !== session.csrf) return problem(response, 403, 'csrf', 'Forbidden', 'The CSRF token is missing or old.')
    if (users.get(session.user)?.must_change && !['/api/password', '/api/session', '/api/logout'].includes(url.pathname)) return problem(response, 403, 'password-change-required', 'Forbidden', 'Choose a password of your own first.')
    return api(request, response, url, session, data)
  }

  const server = createServer((request, response) => void answer(request, response).catch(why => problem(response, 500, 'about:blank', 'Error', String(why))))
  server.on('connection', socket => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  server.on('upgrade', (request, socket) => {
    if (silent) return
    const session = sessionOf(request)
    if (!session) return socket.end('HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n')
    const peer = accept(request, socket)
    peer.topics = new Set()
    peers.add(peer)
    peer.onclose = () => peers.delete(peer)
    peer.onmessage = message => {
      if (silent) return
      if (message.ping !== undefined) peer.send({ type: 'pong', ping: message.ping })
      for (const topic of [...(message.subscribe ?? []), ...Object.keys(message.resume ?? {})]) {
        const data = site.snapshot(topic)
        if (data === undefined) {
          peer.send({ type: 'error', topic, problem: { type: 'about:blank', title: 'Not Found', status: 404, detail: `There is no topic ${topic}.` } })
          continue
        }
        peer.topics.add(topic)
        peer.send({ type: 'snapshot', topic, seq: seqs.get(topic) ?? 0, data })
      }
      for (const topic of message.unsubscribe ?? []) peer.topics.delete(topic)
    }
  })

  const timer = setInterval(() => {
    for (const [topic, data] of Object.entries(site.step())) tell(topic, data)
  }, tick_ms)

  function dropAll() {
    for (const socket of sockets) socket.destroy()
    peers.clear()
  }
  const listen = at => new Promise((resolve, reject) => server.listen(at, host, resolve).once('error', reject))
  await listen(port)
  const used = server.address().port

  return {
    url: `http://${host}:${used}`,
    users: { admin: 'lamp-on-the-water', anna: 'operator-of-the-day', guest: 'only-looking-here', fresh: 'first-password-1' },
    failing,
    delay,
    dropAll,
    tell,
    get site() {
      return site
    },
    become(next) {
      site = makeSite(next)
      seqs.clear()
      dropAll()
    },
    unlock() {
      for (const user of users.values()) Object.assign(user, { wrong: 0, locked_until: 0 })
    },
    hush: () => (silent = true),
    speak: () => (silent = false),
    // As a restart of the daemon: the port is closed for a while.
    async down() {
      const closed = new Promise(resolve => server.close(resolve))
      dropAll()
      await closed
    },
    up: () => listen(used),
    async stop() {
      clearInterval(timer)
      const closed = new Promise(resolve => server.close(resolve))
      dropAll()
      await closed
    },
  }
}
