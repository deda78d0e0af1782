// What people do here: watch values change, look at history, write, acknowledge, follow the log, use the
// tools, go on after a restart, and all of it from the keyboard.
import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, describe } from 'node:test'
import { arrived, browser, cameIn, desktop, everywhere, onAny, onMock, out, phone, portal, sideways, signIn } from './browser.mjs'

let under
let b
let page
before(async () => (under = await portal()))
after(() => under.stop())
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
const row = name => page.getByRole('grid', { name: 'Registers' }).getByRole('row').filter({ hasText: name })

describe('live values', () => {
  everywhere('change by themselves, with their age', async () => {
    await open('/devices', 'Device health')
    const grid = page.getByRole('grid', { name: 'Registers' })
    const first = await grid.innerText()
    await page.waitForFunction(before => document.querySelector('[role=grid]').innerText !== before, first)
    await page.getByText(/^Live$/).first().waitFor()
  })

  onMock('say so when the gateway is gone, keep what they had, and come back by themselves', async () => {
    b.expect(/WebSocket/, /ERR_/, /Failed to load/)
    await open('/devices', 'Device health')
    await row('Voltage L1').waitFor()
    await under.mock.down()
    await page.getByText('Reconnecting').first().waitFor()
    await page.getByText(/No connection to the gateway/).waitFor({ timeout: 25_000 })
    assert.match(await row('Voltage L1').innerText(), /Stale/)
    await page.screenshot({ path: `${out}lost.png` })
    await under.mock.up()
    await page.getByText(/^Live$/).first().waitFor({ timeout: 20_000 })
    await page.getByText(/No connection to the gateway/).waitFor({ state: 'detached' })
  })

  onAny('say on a phone, too, that they are not live: ages go on, states are grey', async () => {
    await page.setViewportSize(phone)
    await open('/', 'Dashboard')
    const live = page.getByRole('banner').getByRole('status')
    await live.getByText('Live', { exact: true }).waitFor()
    await page.screenshot({ path: `${out}live-phone.png` })
    const colours = () => page.evaluate(() => [...new Set([...document.querySelectorAll('main .state')].map(one => getComputedStyle(one).color))])
    const strip = page.getByRole('region', { name: 'Overview' })
    const ages = async () => [...(await strip.innerText()).matchAll(/(?:as of|last poll) ([\d.]+) s ago/g)].map(found => Number(found[1]))
    const coloured = () => page.waitForFunction(() => new Set([...document.querySelectorAll('main .state')].map(one => getComputedStyle(one).color)).size > 1)
    await coloured()
    under.hush()
    try {
      await live.getByText('Reconnecting').waitFor()
      assert.equal((await colours()).length, 1, 'grey is one colour')
      const first = await ages()
      assert.equal(first.length, 2, await strip.innerText())
      await page.waitForFunction(before => Number(/as of ([\d.]+) s/.exec(document.querySelector('main section').innerText)?.[1]) > before + 2, first[0])
      assert.ok((await ages())[1] > first[1] + 1.5, `last poll stays at ${first[1]} s`)
      await page.screenshot({ path: `${out}not-live-phone.png` })
      assert.equal(await sideways(page), false)
      await page.setViewportSize(desktop)
      await page.screenshot({ path: `${out}not-live.png` })
    } finally {
      under.speak()
    }
    await page.getByText(/^Live$/).first().waitFor({ timeout: 20_000 })
    await coloured()
    assert.doesNotMatch(await strip.innerText(), /Not live/)
  })

  everywhere('come over one socket however many widgets look', async () => {
    const sockets = []
    page.on('websocket', one => sockets.push(one.url()))
    await open('/', 'Dashboard')
    await page.getByText(/^Live$/).first().waitFor()
    await page.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: 'Device health' }).click()
    await arrived(page, 'Device health')
    assert.equal(sockets.length, 1)
  })
})

describe('a device', () => {
  onMock('that is silent says which kind of silence and what to check', async () => {
    await open('/devices?device=remote-panel%2Fmeter-3', 'Device health')
    await page.getByText('No bytes at all').waitFor()
    await page.getByText('Are A and B swapped, or is a wire loose?').waitFor()
  })

  onMock('is explained', async () => {
    await open('/devices?device=main-panel%2Fmeter-7', 'Device health')
    await page.getByRole('button', { name: 'Explain' }).click()
    await page.getByText(/twenty times slower/).waitFor()
    await page.keyboard.press('Escape')
    await page.getByRole('dialog').waitFor({ state: 'detached' })
  })

  onMock('shows the history of a value in ranges, and gives it as CSV', async () => {
    await open('/devices', 'Device health')
    await row('Voltage L1').click()
    const drawer = page.getByRole('dialog')
    await drawer.getByRole('img', { name: /history/ }).waitFor()
    await drawer.getByRole('radio', { name: '24 h' }).click()
    await drawer.getByText('one point a minute').waitFor()
    assert.match(page.url(), /from=-24h/)
    const [download] = await Promise.all([page.waitForEvent('download'), drawer.getByRole('link', { name: 'Export CSV' }).click()])
    assert.match(download.suggestedFilename(), /voltage_l1\.csv$/)
    await page.screenshot({ path: `${out}history.png` })
  })

  onMock('is written only after a review that names it, and refuses what is out of range', async () => {
    await open('/devices?device=relays%2Frelay-1&point=setpoint', 'Device health')
    await page.getByRole('button', { name: 'Write…' }).click()
    const field = page.getByRole('textbox', { name: /New value/ })
    await field.fill('95')
    await page.getByRole('button', { name: 'Review' }).click()
    await page.getByText(/Must lie within 0 to 90/).waitFor()
    await field.fill('24')
    await page.getByRole('button', { name: 'Review' }).click()
    await page.getByText('This changes Temperature set point of Feeder relays in the field.').waitFor()
    await page.screenshot({ path: `${out}write.png` })
    await page.getByRole('button', { name: 'Write now' }).click()
    await page.getByText('Temperature set point is now 24 °C').waitFor()
  })

  onMock('offers no write and no restart to a viewer', async () => {
    await page.context().clearCookies()
    await signIn(page, under, 'guest', under.mock.users.guest)
    await open('/devices?device=relays%2Frelay-1&point=setpoint', 'Device health')
    await page.getByRole('dialog').getByRole('link', { name: 'Export CSV' }).waitFor()
    assert.equal(await page.getByRole('button', { name: 'Write…' }).count(), 0)
    assert.equal(await page.getByRole('button', { name: 'Poll now' }).count(), 0)
    await open('/', 'Dashboard')
    await page.getByText('MQTT publisher').waitFor()
    assert.equal(await page.getByRole('button', { name: /^Restart / }).count(), 0)
  })
})

describe('an alert', () => {
  onMock('is acknowledged with a note and moves to its tab', async () => {
    await open('/alerts', 'Alerts')
    await page.getByRole('button', { name: /^Acknowledge: Remote meter/ }).click()
    await page.getByLabel('Note').fill('Somebody is on the way')
    await page.getByRole('dialog').getByRole('button', { name: 'Acknowledge' }).click()
    await page.getByText('1 alert acknowledged').waitFor()
    await page.getByRole('tab', { name: /Acknowledged/ }).click()
    await page.getByText(/Somebody is on the way/).waitFor()
  })
  onMock('of the past is paged', async () => {
    await open('/alerts?state=cleared', 'Alerts')
    const rows = page.getByRole('tabpanel').getByRole('listitem')
    assert.equal(await rows.count(), 10)
    await page.getByRole('button', { name: 'Show older ones' }).click()
    await page.waitForFunction(() => document.querySelectorAll('[role=tabpanel] li').length === 20)
  })
})

describe('the log', () => {
  onMock('follows, waits when scrolled up, and says how much is new', async () => {
    await open('/logs', 'Logs')
    const list = page.getByRole('listbox', { name: 'Log lines' })
    await page.waitForFunction(() => { const l = document.querySelector('[role=listbox]'); return l.scrollTop + l.clientHeight >= l.scrollHeight - 30 })
    const before = await list.innerText()
    await page.waitForFunction(text => document.querySelector('[role=listbox]').innerText !== text, before)
    await list.hover()
    await page.mouse.wheel(0, -300)
    await page.getByRole('button', { name: /\d+ new lines?/ }).waitFor()
    await page.getByRole('button', { name: /\d+ new lines?/ }).click()
    await page.waitForFunction(() => { const l = document.querySelector('[role=listbox]'); return l.scrollTop + l.clientHeight >= l.scrollHeight - 30 })
  })
  onMock('is filtered by text, says when a regular expression is wrong, and opens its fields', async () => {
    await open('/logs', 'Logs')
    await page.getByRole('searchbox', { name: 'Text' }).fill('refused')
    await page.waitForFunction(() => [...document.querySelectorAll('[role=option]')].every(line => line.textContent.includes('refused')))
    await page.getByRole('option').last().click()
    await page.getByRole('dialog').getByText('429').waitFor()
    await page.keyboard.press('Escape')
    await page.getByRole('switch', { name: 'Regular expression' }).click()
    await page.getByRole('searchbox', { name: 'Text' }).fill('(')
    await page.getByText(/This is no regular expression/).waitFor()
  })
})

describe('diagnostics', () => {
  onMock('pings as it runs, looks a name up, tests a port', async () => {
    await open('/diagnostics?tab=network', 'Diagnostics')
    const card = name => page.getByRole('region', { name })
    await card('Ping').getByLabel('Host or address').fill('192.168.1.1')
    await card('Ping').getByRole('button', { name: 'Run' }).click()
    await card('Ping').getByText('4 of 4 answered, 0% lost').waitFor()
    await card('Name look-up').getByLabel('Name').fill('nothing.invalid')
    await card('Name look-up').getByRole('button', { name: 'Run' }).click()
    await card('Name look-up').getByText('This name does not exist.').waitFor()
    await card('Port test').getByLabel('Host or address').fill('192.168.1.100')
    await card('Port test').getByLabel('Port', { exact: true }).fill('502')
    await card('Port test').getByRole('button', { name: 'Run' }).click()
    await card('Port test').getByText(/^Open, connected/).waitFor()
  })
  onMock('watches the frames of a line, filtered, and downloads them', async () => {
    await open('/diagnostics?tab=buses', 'Diagnostics')
    const grid = page.getByRole('grid', { name: 'Frames' })
    await grid.waitFor()
    await page.getByRole('switch', { name: 'Errors only' }).click()
    await page.waitForFunction(() => [...document.querySelectorAll('[role=grid] [role=row]')].slice(1).every(line => line.textContent.includes('bad CRC')))
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'Download pcapng' }).click()])
    assert.match(download.suggestedFilename(), /pcapng$/)
    await page.getByRole('radio', { name: 'Poll plan' }).click()
    await page.getByText('no gaps: the device refused').waitFor()
  })
  onMock('goes on with the other tabs when one fails', async () => {
    b.expect(/500/)
    under.mock.failing.add('/diag/network')
    await open('/diagnostics?tab=network', 'Diagnostics')
    await page.getByText('The disk could not be read: input/output error.').waitFor()
    under.mock.failing.delete('/diag/network')
    await page.getByRole('button', { name: 'Try again' }).click()
    await page.getByText('eth0').first().waitFor()
  })
})

describe('an administrator', () => {
  onMock('adds a user, makes a token that is told once, and reads of both in the audit', async () => {
    await open('/account?tab=users', 'Account')
    await page.getByRole('button', { name: 'Add user' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByRole('textbox', { name: /^Name/ }).fill('berta')
    await dialog.getByLabel(/^First password/).fill('for the first time')
    await dialog.getByRole('button', { name: 'Add user' }).click()
    await page.getByText('berta may sign in now').waitFor()
    await page.getByRole('tab', { name: 'Tokens' }).click()
    await page.getByRole('button', { name: 'Make a token' }).click()
    await dialog.getByLabel(/What it is for/).fill('nightly report')
    await dialog.getByRole('button', { name: 'Make a token' }).click()
    await dialog.getByText(/^ls_[0-9a-f]{40}$/).waitFor()
    await dialog.getByRole('button', { name: 'Copy' }).click()
    await dialog.getByRole('button', { name: 'Copied' }).waitFor()
    await dialog.getByRole('button', { name: 'Close' }).last().click()
    await page.getByText(/nightly report.*made by admin/).waitFor()
    await page.getByRole('tab', { name: 'Audit' }).click()
    await page.getByText('berta as viewer').waitFor()
  })
  onMock('restarts one service after being asked', async () => {
    await open('/', 'Dashboard')
    await page.getByRole('button', { name: 'Restart MQTT publisher' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Restart' }).click()
    await page.getByText('MQTT publisher is restarting').waitFor()
  })
})

describe('the keyboard alone', () => {
  everywhere('changes pages by G and a letter, opens the palette, lists the keys', async () => {
    await open('/', 'Dashboard')
    await page.keyboard.press('g')
    await page.keyboard.press('l')
    await arrived(page, 'Logs')
    await page.keyboard.press('Control+k')
    await page.getByRole('combobox', { name: 'Search' }).waitFor()
    await page.keyboard.type('device health')
    await page.keyboard.press('Enter')
    await arrived(page, 'Device health')
    await page.keyboard.press('Shift+?')
    await page.getByRole('dialog', { name: 'Keyboard' }).waitFor()
    await page.keyboard.press('Escape')
    await page.getByRole('dialog').waitFor({ state: 'detached' })
  })
  everywhere('reaches the content by the skip link and a register by the arrows', async () => {
    await open('/devices', 'Device health')
    await page.keyboard.press('Tab')
    assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Skip to the content')
    await page.keyboard.press('Enter')
    await page.getByRole('grid', { name: 'Registers' }).focus()
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('Enter')
    await page.getByRole('dialog').waitFor()
    await page.keyboard.press('Escape')
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    assert.equal(await page.evaluate(() => document.activeElement.getAttribute('role')), 'grid')
  })
  everywhere('opens the account menu and closes it with the focus back', async () => {
    await open('/', 'Dashboard')
    await page.getByRole('button', { name: /^Account of/ }).focus()
    await page.keyboard.press('Enter')
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('Escape')
    assert.match(await page.evaluate(() => document.activeElement.getAttribute('aria-label')), /^Account of/)
  })
})

describe('the look', () => {
  everywhere('changes with the theme, at once and for the next visit', async () => {
    await open('/', 'Dashboard')
    await page.getByRole('button', { name: 'Use the light theme' }).click()
    assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), 'light')
    await page.reload()
    await arrived(page, 'Dashboard')
    assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), 'light')
  })
  onMock('works on a phone: list, device, back', async () => {
    await page.setViewportSize(phone)
    await open('/devices', 'Device health')
    await page.getByRole('link', { name: /Pump station/ }).click()
    await page.getByText('What to check, in this order').waitFor()
    assert.equal(await sideways(page), false)
    await page.getByRole('link', { name: 'All devices' }).click()
    await page.getByRole('link', { name: /Pump station/ }).waitFor()
  })
  everywhere('still works with text twice as large', async () => {
    await page.setViewportSize(phone)
    await open('/', 'Dashboard')
    await page.evaluate(() => (document.documentElement.style.fontSize = '200%'))
    for (const path of ['/', '/devices', '/alerts', '/logs']) {
      await page.evaluate(to => history.pushState(null, '', to), path)
      await page.evaluate(() => dispatchEvent(new PopStateEvent('popstate')))
      await page.waitForFunction(() => !document.querySelector('.skeleton'))
      assert.equal(await sideways(page), false, path)
    }
  })
})
