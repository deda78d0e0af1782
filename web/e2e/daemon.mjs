// The real daemon for the tests: LIGHTSHIP_BIN on the simulated site, or on a site of nothing, each on a
// free port with a data directory of its own. Its first password is changed and two further users are made.
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const kPatience_ms = 20_000
const users = { admin: 'a lamp on the water', anna: 'operator of the day', guest: 'only looking here' }

const freePort = () =>
  new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })
const pause = ms => new Promise(resolve => setTimeout(resolve, ms))

// One who asks the API: a cookie, a CSRF token, JSON.
export async function session(url, username, password) {
  const signed = await fetch(`${url}/api/login`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ username, password }) })
  if (!signed.ok) throw new Error(`sign in as ${username}: ${signed.status} ${await signed.text()}`)
  const { csrf_token } = await signed.json()
  const cookie = signed.headers.get('set-cookie').split(';')[0]
  return async (method, path, body) => {
    const answer = await fetch(url + path, { method, headers: { Cookie: cookie, 'X-CSRF-Token': csrf_token, 'Content-Type': 'application/json' }, body: body && JSON.stringify(body) })
    const text = await answer.text()
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`)
    return text ? JSON.parse(text) : undefined
  }
}

export async function startDaemon({ empty = false, host = '127.0.0.1', fresh = false } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'lightship-e2e-'))
  const port = await freePort()
  const url = `http://${host}:${port}`
  let said = ''
  let child

  function arguments_() {
    if (!empty) return ['demo', '--data', folder, '--portal-port', port, '--gateway-port', 0, '--mqtt-port', 0]
    const config = join(folder, 'config')
    mkdirSync(config, { recursive: true })
    mkdirSync(join(folder, 'data'), { recursive: true })
    writeFileSync(join(config, 'portal.yaml'), `listen: "${host}:${port}"\n`)
    return ['run', '--config', config, '--data', join(folder, 'data')]
  }
  async function up() {
    child = spawn(process.env.LIGHTSHIP_BIN, arguments_().map(String), { stdio: ['ignore', 'pipe', 'pipe'] })
    for (const stream of [child.stdout, child.stderr]) stream.on('data', part => (said += part))
    for (const end = Date.now() + kPatience_ms; ; await pause(50)) {
      const ready = await fetch(`${url}/readyz`).then(answer => answer.ok, () => false)
      if (ready) return
      if (child.exitCode !== null || Date.now() > end) throw new Error(`lightship does not get ready (exit ${child.exitCode}):\n${said}`)
    }
  }
  // The gateway of the simulated site is a process of its own, below the one that was started.
  function signal(which) {
    const below = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8')
    for (const pid of [child.pid, ...below.split(' ').filter(Boolean).map(Number)]) process.kill(pid, which)
  }
  async function down() {
    if (child.exitCode !== null || child.signalCode !== null) return
    signal('SIGCONT') // one that is stopped would not hear
    const ended = new Promise(resolve => child.once('exit', resolve))
    child.kill('SIGTERM')
    const late = setTimeout(() => child.kill('SIGKILL'), 8000)
    await ended
    clearTimeout(late)
  }
  async function firstPassword() {
    for (const end = Date.now() + kPatience_ms; Date.now() < end; await pause(50)) {
      const found = /^login admin (\S+)/m.exec(said) ?? /password[^\n]*?\badmin\b\D*?[:=]\s*"?(\S+?)"?$/m.exec(said)
      if (found) return found[1]
    }
    throw new Error(`no first password is printed:\n${said}`)
  }

  try {
    await up()
    const first = await firstPassword()
    if (!fresh) {
      await (await session(url, 'admin', first))('POST', '/api/password', { old: first, new: users.admin })
      const admin = await session(url, 'admin', users.admin)
      for (const [name, role] of [['anna', 'operator'], ['guest', 'viewer']]) {
        await admin('POST', '/api/users', { name, role, password: `${users[name]} 1` })
        await (await session(url, name, `${users[name]} 1`))('POST', '/api/password', { old: `${users[name]} 1`, new: users[name] })
      }
    }
    return {
      url,
      user: 'admin',
      password: fresh ? first : users.admin,
      users,
      down,
      up,
      hush: () => signal('SIGSTOP'),
      speak: () => signal('SIGCONT'),
      ask: async (...what) => (await session(url, 'admin', users.admin))(...what),
      async stop() {
        await down()
        rmSync(folder, { recursive: true, force: true })
      },
    }
  } catch (why) {
    if (child) await down()
    rmSync(folder, { recursive: true, force: true })
    throw why
  }
}
