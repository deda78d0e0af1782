// The real gateway on its simulated site: the first password, five wrong ones, roles, values of meters that
// are really polled, a restart under the eyes of a browser, an address of the LAN. Only with LIGHTSHIP_BIN.
import assert from 'node:assert/strict'
import { networkInterfaces } from 'node:os'
import { after, afterEach, before, beforeEach, describe } from 'node:test'
import { arrived, browser, cameIn, onDaemon, out, phone, portal, sideways, signIn } from './browser.mjs'

const wanted = process.env.LIGHTSHIP_BIN !== undefined

// Each with a browser of its own; what goes wrong there is wrong here.
async function visit(under, then, { user = under.user, password = under.password, signed = true, expected = [], ...view } = {}) {
  const b = await browser(view)
  b.only(under.url)
  b.expect(...expected)
  try {
    if (signed) await signIn(b.page, under, user, password)
    await then(b.page, b)
    assert.deepEqual(b.wrong, [])
  } finally {
    await b.close()
  }
}
const enter = async (page, user, password) => {
  await page.getByLabel('User').fill(user)
  await page.getByRole('textbox', { name: /^Password/ }).fill(password)
  await page.getByRole('button', { name: 'Sign in' }).click()
}

describe('the first visit', () => {
  onDaemon('forces a password of one\'s own, and the printed one is over', async () => {
    const under = await portal({ fresh: true })
    try {
      await visit(under, async page => {
        await page.goto(`${under.url}/devices`)
        await enter(page, 'admin', under.password)
        await page.getByRole('heading', { name: 'First sign-in' }).waitFor()
        await page.screenshot({ path: `${out}first-sign-in.png` })
        await page.getByRole('textbox', { name: 'New password', exact: false }).first().fill(under.users.admin)
        await page.getByRole('textbox', { name: /again/ }).fill(under.users.admin)
        await page.getByRole('button', { name: 'Change and go on' }).click()
        await arrived(page, 'Device health')
      }, { signed: false })
      await visit(under, async page => {
        await page.goto(`${under.url}/login`)
        await enter(page, 'admin', under.password)
        await page.getByText('User or password is wrong.').waitFor()
        await enter(page, 'admin', under.users.admin)
        await arrived(page, 'Dashboard')
      }, { signed: false, expected: [/401/] })
    } finally {
      await under.stop()
    }
  })
})

describe('five wrong passwords', () => {
  onDaemon('lock the account for a time that is said', async () => {
    const under = await portal()
    try {
      await visit(under, async page => {
        await page.goto(`${under.url}/login`)
        await page.getByLabel('User').fill('guest')
        for (let i = 0; ; ++i) {
          assert.ok(i < 12, 'never locked')
          await page.getByRole('textbox', { name: /^Password/ }).fill(`not this one ${i}`)
          const answered = page.waitForResponse('**/api/login')
          await page.getByRole('button', { name: 'Sign in' }).click()
          if ((await answered).status() === 429) break
        }
        await page.getByText(/Too many wrong passwords. Try again in \d+ s/).waitFor()
        assert.equal(await page.getByRole('button', { name: 'Sign in' }).isDisabled(), true)
        await page.screenshot({ path: `${out}locked.png` })
      }, { signed: false, expected: [/401/, /429/] })
    } finally {
      await under.stop()
    }
  })
})

describe('the simulated site', () => {
  let under
  let b
  let page
  before(async () => {
    if (wanted) under = await portal()
  })
  after(() => under?.stop())
  beforeEach(async () => {
    b = await browser()
    b.only(under.url)
    page = b.page
    await cameIn(page, under)
  })
  afterEach(async () => {
    await b.close()
    assert.deepEqual(b.wrong, [])
  })
  const open = async (path, title) => {
    await page.goto(under.url + path)
    await arrived(page, title)
  }
  const grid = () => page.getByRole('grid', { name: 'Registers' })

  onDaemon('shows values that move, with their age and their unit', async () => {
    await open('/devices', 'Device health')
    await grid().getByRole('row').filter({ hasText: /V\b/ }).first().waitFor()
    const first = await grid().innerText()
    await page.waitForFunction(before => document.querySelector('[role=grid]').innerText !== before, first)
    await page.getByText(/^Live$/).first().waitFor()
  })

  onDaemon('draws the past of a point and gives it as a file', async () => {
    await open('/devices', 'Device health')
    await grid().getByRole('row').nth(1).click()
    const drawer = page.getByRole('dialog')
    await drawer.getByRole('img', { name: /history/ }).waitFor()
    const [download] = await Promise.all([page.waitForEvent('download'), drawer.getByRole('link', { name: 'Export CSV' }).click()])
    assert.match(download.suggestedFilename(), /\.csv$/)
    await page.screenshot({ path: `${out}history.png` })
  })

  onDaemon('is written only after a review, and within the limits', async () => {
    const { items } = await under.ask('GET', '/api/device-health')
    let found
    for (const device of items) {
      const registers = await under.ask('GET', `/api/device/${encodeURIComponent(device.id)}/registers`)
      const point = registers.items.find(one => one.writable && one.writable.maximum !== null && one.value !== null)
      if (point) found = { device, point }
    }
    assert.ok(found, 'no point of the demo may be written')
    await open(`/devices?device=${encodeURIComponent(found.device.id)}&point=${found.point.name}`, 'Device health')
    await page.getByRole('button', { name: 'Write…' }).click()
    const field = page.getByRole('textbox', { name: /New value/ })
    await field.fill(String(found.point.writable.maximum + 5))
    await page.getByRole('button', { name: 'Review' }).click()
    await page.getByText(/Must lie within/).waitFor()
    await field.fill(String(found.point.value === 24 ? 25 : 24))
    await page.getByRole('button', { name: 'Review' }).click()
    await page.screenshot({ path: `${out}write.png` })
    await page.getByRole('button', { name: 'Write now' }).click()
    await page.getByText(/ is now 2[45]/).waitFor()
    await open('/account?tab=audit', 'Account')
    await page.getByText(found.point.name).first().waitFor()
  })

  onDaemon('explains a device from its figures', async () => {
    await open('/devices', 'Device health')
    await page.getByRole('button', { name: 'Explain' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.waitFor()
    await page.waitForFunction(() => (document.querySelector('dialog[open], [role=dialog]')?.innerText.length ?? 0) > 60)
    await page.screenshot({ path: `${out}explain.png` })
  })

  onDaemon('shows the frames of a line as they pass, decoded, and gives them as a capture', async () => {
    await open('/diagnostics?tab=buses', 'Diagnostics')
    const frames = page.getByRole('grid', { name: 'Frames' })
    await frames.getByRole('row').nth(3).waitFor()
    const before = await frames.innerText()
    await page.waitForFunction(text => document.querySelector('[role=grid]').innerText !== text, before)
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'Download pcapng' }).click()])
    assert.match(download.suggestedFilename(), /pcapng$/)
    await page.screenshot({ path: `${out}frames.png` })
    await page.getByRole('radio', { name: 'Poll plan' }).click()
    await page.getByText(/holding|FC|Function|registers/i).first().waitFor()
  })

  onDaemon('pings, resolves and tries ports of this machine', async () => {
    await open('/diagnostics?tab=network', 'Diagnostics')
    const card = name => page.getByRole('region', { name })
    await card('Name look-up').getByLabel('Name').fill('localhost')
    await card('Name look-up').getByRole('button', { name: 'Run' }).click()
    await card('Name look-up').getByText(/127\.0\.0\.1|::1/).first().waitFor()
    await card('Port test').getByLabel('Host or address').fill('127.0.0.1')
    await card('Port test').getByLabel('Port', { exact: true }).fill(new URL(under.url).port)
    await card('Port test').getByRole('button', { name: 'Run' }).click()
    await card('Port test').getByText(/^Open, connected/).waitFor()
    await card('Ping').getByLabel('Host or address').fill('127.0.0.1')
    await card('Ping').getByRole('button', { name: 'Run' }).click()
    await card('Ping').getByText(/of 4 answered|may not|not allowed/i).first().waitFor({ timeout: 20_000 })
  })

  onDaemon('logs what happens, filtered by level', async () => {
    await open('/logs', 'Logs')
    const lines = page.getByRole('listbox', { name: 'Log lines' }).getByRole('option')
    await lines.filter({ hasText: 'line is open' }).first().waitFor()
    await page.getByRole('searchbox', { name: 'Text' }).fill('nothing says this')
    await page.waitForFunction(() => document.querySelectorAll('[role=option]').length === 0)
  })

  onDaemon('has an alert of the device that fails, which is acknowledged', async () => {
    await open('/alerts', 'Alerts')
    const button = page.getByRole('button', { name: /^Acknowledge: / }).first()
    await button.waitFor({ timeout: 45_000 })
    await button.click()
    await page.getByLabel('Note').fill('Somebody is on the way')
    await page.getByRole('dialog').getByRole('button', { name: 'Acknowledge' }).click()
    await page.getByText('1 alert acknowledged').waitFor()
    await page.getByRole('tab', { name: /Acknowledged/ }).click()
    await page.getByText(/Somebody is on the way/).waitFor()
    await page.screenshot({ path: `${out}acknowledged.png` })
  })

  onDaemon('makes a token that is told once, and says so in the audit', async () => {
    await open('/account?tab=tokens', 'Account')
    await page.getByRole('button', { name: 'Make a token' }).first().click()
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel(/What it is for/).fill('nightly report')
    await dialog.getByRole('button', { name: 'Make a token' }).click()
    await dialog.getByRole('button', { name: 'Copy' }).waitFor()
    await dialog.getByRole('button', { name: 'Close' }).last().click()
    await page.getByText('nightly report').waitFor()
    await page.getByRole('tab', { name: 'Audit' }).click()
    await page.getByText(/nightly report/).first().waitFor()
  })

  onDaemon('restarts one part after asking', async () => {
    await open('/', 'Dashboard')
    const button = page.getByRole('button', { name: /^Restart / }).first()
    await button.click()
    await page.getByRole('dialog').getByRole('button', { name: 'Restart' }).click()
    await page.getByText(/is restarting/).waitFor()
  })

  onDaemon('works on a phone: list, device, back', async () => {
    await page.setViewportSize(phone)
    await open('/devices', 'Device health')
    const device = page.getByRole('link', { name: /Incomer/ })
    await device.click()
    await page.getByRole('link', { name: 'All devices' }).waitFor()
    assert.equal(await sideways(page), false)
    await page.getByRole('link', { name: 'All devices' }).click()
    await device.waitFor()
  })
})

describe('roles', () => {
  onDaemon('offer a viewer no change, an operator what runs, an admin the users', async () => {
    const under = await portal()
    try {
      const can = (page, name) => page.getByRole('button', { name }).count()
      const look = async (page, restart, users) => {
        await page.goto(`${under.url}/devices`)
        await arrived(page, 'Device health')
        assert.equal((await can(page, 'Poll now')) > 0, restart)
        await page.goto(under.url)
        await arrived(page, 'Dashboard')
        assert.equal((await can(page, /^Restart /)) > 0, restart)
        await page.goto(`${under.url}/account`)
        await arrived(page, 'Account')
        assert.equal(await page.getByRole('tab', { name: 'Users' }).count(), users ? 1 : 0)
      }
      await visit(under, page => look(page, false, false), { user: 'guest', password: under.users.guest })
      await visit(under, page => look(page, true, false), { user: 'anna', password: under.users.anna })
      await visit(under, page => look(page, true, true))
    } finally {
      await under.stop()
    }
  })
})

describe('a restart', () => {
  onDaemon('is waited for by the page, which keeps what it had and comes back by itself', async () => {
    const under = await portal()
    try {
      await visit(under, async page => {
        await page.goto(`${under.url}/devices`)
        await arrived(page, 'Device health')
        await page.getByText(/^Live$/).first().waitFor()
        await under.down()
        await page.getByText('Reconnecting').first().waitFor()
        await page.getByText(/No connection to the gateway/).waitFor({ timeout: 25_000 })
        await page.waitForFunction(() => /Stale/.test(document.querySelector('[role=grid]').innerText))
        await page.screenshot({ path: `${out}lost.png` })
        await under.up()
        // Sessions live as long as the program: either the page is live again, or it asks to sign in and returns.
        const signIn_ = page.getByRole('heading', { name: 'Sign in' })
        const live = page.getByText(/^Live$/).first()
        await signIn_.or(live).first().waitFor({ timeout: 25_000 })
        if (await signIn_.isVisible()) await enter(page, 'admin', under.users.admin)
        await live.waitFor()
        await arrived(page, 'Device health')
      }, { expected: [/WebSocket/, /ERR_/, /Failed to load/, /401/] })
    } finally {
      await under.stop()
    }
  })
})

describe('a site of nothing', () => {
  onDaemon('says what would be here', async () => {
    const under = await portal({ empty: true })
    try {
      await visit(under, async page => {
        for (const [path, title, words] of [
          ['/', 'Dashboard', 'Three steps to the first reading'],
          ['/devices', 'Device health', 'No device yet'],
          ['/alerts', 'Alerts', 'No alert is active'],
          ['/diagnostics?tab=buses', 'Diagnostics', 'No line is configured'],
          ['/account?tab=tokens', 'Account', 'No token yet'],
        ]) {
          await page.goto(under.url + path)
          await arrived(page, title)
          await page.getByText(words).first().waitFor()
          await page.screenshot({ path: `${out}nothing-${path.replace(/\W+/g, '-')}.png` })
        }
      })
    } finally {
      await under.stop()
    }
  })
})

describe('an address of the LAN', () => {
  onDaemon('works over plain http, where a browser grants less', async t => {
    const host = Object.values(networkInterfaces()).flat().find(one => one.family === 'IPv4' && !one.internal)?.address
    if (!host) return t.skip('this machine has only a loopback address')
    const under = await portal({ empty: true, host })
    try {
      await visit(under, async page => {
        assert.equal(await page.evaluate(() => isSecureContext), false)
        for (const [path, title] of [['/', 'Dashboard'], ['/devices', 'Device health'], ['/diagnostics', 'Diagnostics'], ['/logs', 'Logs']]) {
          await page.goto(under.url + path)
          await arrived(page, title)
          assert.equal(await sideways(page), false)
        }
        await page.getByText(/^Live$/).first().waitFor()
      })
    } finally {
      await under.stop()
    }
  })
})
