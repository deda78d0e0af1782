// Chromium for the tests: Debian's own, one for each file, a fresh profile each time, and an eye on everything a page must
// not do: an error on the console, a request to a stranger, sideways scrolling.
import { mkdirSync, readFileSync } from 'node:fs'
import { after, it } from 'node:test'
import { join } from 'node:path'
import { chromium } from 'playwright-core'
import { startMock } from '../test/mock/daemon.mjs'
import { startDaemon } from './daemon.mjs'

export const out = join(process.env.SCREENSHOTS ?? new URL('./out', import.meta.url).pathname, '/')
mkdirSync(out, { recursive: true })

// Against what: a daemon that is running, one that is started for each file, or the mock.
const running = process.env.LIGHTSHIP_URL
export const real = running !== undefined || process.env.LIGHTSHIP_BIN !== undefined
// Where the same tests run against a daemon, too, the mock is for what cannot be provoked there.
export const everywhere = real || !process.env.ONLY_MOCK ? it : () => {}
export const onMock = real ? () => {} : it
// What needs one that can be stopped: not a daemon that is just running.
export const onAny = running === undefined ? everywhere : () => {}
export const onDaemon = process.env.LIGHTSHIP_BIN !== undefined ? it : () => {}
export const desktop = { width: 1440, height: 900 }
export const phone = { width: 390, height: 844 }

// The portal under test: the mock, a daemon of its own with LIGHTSHIP_BIN, or a running one with
// LIGHTSHIP_URL, LIGHTSHIP_USER and LIGHTSHIP_PASSWORD.
export async function portal(options = {}) {
  if (process.env.LIGHTSHIP_BIN) return { mock: null, ...(await startDaemon(options)) }
  if (!running) {
    const mock = await startMock(options)
    return { url: mock.url, user: 'admin', password: mock.users.admin, mock, hush: mock.hush, speak: mock.speak, stop: () => mock.stop() }
  }
  return { url: running.replace(/\/$/, ''), user: process.env.LIGHTSHIP_USER ?? 'admin', password: process.env.LIGHTSHIP_PASSWORD ?? '', mock: null, stop: async () => {} }
}

let one
after(async () => (await one)?.close())

export async function browser({ viewport = desktop, colorScheme = 'dark', bypassCSP = false, reducedMotion = 'reduce' } = {}) {
  one ??= chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    headless: true,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--disable-dev-shm-usage'],
  })
  const context = await (await one).newContext({ viewport, colorScheme, reducedMotion, bypassCSP, acceptDownloads: true })
  const wrong = []
  let expected = []
  const watch = page => {
    page.on('console', message => {
      if (message.type() !== 'error' && message.type() !== 'warning') return
      const text = `${message.text()} ${message.location().url}`
      if (!expected.some(pattern => pattern.test(text))) wrong.push(`console: ${text}`)
    })
    page.on('pageerror', error => wrong.push(`page error: ${error.stack ?? error.message}`))
  }
  context.on('page', watch)
  let host = ''
  await context.route('**/*', route => {
    const url = new URL(route.request().url())
    if (!host || url.host === host || url.protocol === 'blob:' || url.protocol === 'data:') return route.continue()
    wrong.push(`a request to ${url.host}`)
    return route.abort()
  })
  const page = await context.newPage()
  page.setDefaultTimeout(15_000)
  return {
    context,
    page,
    wrong,
    expect(...patterns) {
      expected = patterns
    },
    only(url) {
      host = new URL(url).host
    },
    close: () => context.close(),
  }
}

export async function signIn(page, portal, user = portal.user, password = portal.password, path = '/login') {
  await page.goto(portal.url + path)
  await page.getByLabel('User').fill(user)
  await page.getByLabel('Password', { exact: false }).first().fill(password)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('main').waitFor()
  await page.waitForFunction(() => !document.querySelector('input[name=password]'))
}

// The same with the session of an earlier test: one password is weighed for each file and user.
const sessions = new Map()
export async function cameIn(page, portal, user = portal.user, password = portal.password) {
  const who = `${portal.url} ${user}`
  if (sessions.has(who)) return page.context().addCookies(sessions.get(who))
  await signIn(page, portal, user, password)
  sessions.set(who, await page.context().cookies())
}

// A page has arrived when its heading stands and no skeleton is left.
export async function arrived(page, title) {
  await page.getByRole('heading', { level: 1, name: title }).waitFor()
  await page.waitForFunction(() => !document.querySelector('.skeleton'))
  await page.evaluate(() => document.fonts.ready)
}

export const sideways = page => page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth)

const source = readFileSync(new URL('../node_modules/axe-core/axe.min.js', import.meta.url), 'utf8')
export async function violations(page) {
  await page.addScriptTag({ content: source })
  const result = await page.evaluate(() =>
    // eslint-disable-next-line no-undef
    axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }),
  )
  return result.violations.map(one => `${one.id}: ${one.nodes.slice(0, 3).map(node => `${node.target.join(' ')} (${node.any[0]?.message ?? node.failureSummary ?? ''})`).join(' | ')}`)
}
