// Every page by its address and by the menu, both themes, both sizes: it arrives, nothing goes wrong on
// the console, nobody else is asked, nothing scrolls sideways. The pictures are for looking at.
import assert from 'node:assert/strict'
import { after, before, describe } from 'node:test'
import { arrived, browser, cameIn, desktop, everywhere, out, phone, portal, sideways } from './browser.mjs'

const pages = [
  ['dashboard', '/', 'Dashboard'],
  ['devices', '/devices', 'Device health'],
  ['alerts', '/alerts', 'Alerts'],
  ['diagnostics', '/diagnostics', 'Diagnostics'],
  ...['network', 'buses', 'gpio', 'storage', 'time', 'bundle'].map(tab => [`diagnostics-${tab}`, `/diagnostics?tab=${tab}`, 'Diagnostics']),
  ['logs', '/logs', 'Logs'],
  ['account', '/account', 'Account'],
  ...['users', 'tokens', 'audit'].map(tab => [`account-${tab}`, `/account?tab=${tab}`, 'Account']),
]

let under
before(async () => (under = await portal()))
after(() => under.stop())

for (const theme of ['light', 'dark']) {
  for (const [size, viewport] of Object.entries({ desktop, phone })) {
    describe(`${theme}, ${size}`, () => {
      let b
      before(async () => {
        b = await browser({ viewport, colorScheme: theme })
        b.only(under.url)
        await b.page.goto(`${under.url}/login`)
        await b.page.screenshot({ path: `${out}login-${theme}-${size}.png` })
        await cameIn(b.page, under)
      })
      after(() => b.close())

      everywhere('shows each page by its address', async () => {
        for (const [name, path, title] of pages) {
          await b.page.goto(under.url + path)
          await arrived(b.page, title)
          assert.equal(await b.page.title(), `${title}, Lightship`)
          assert.equal(await b.page.getByRole('heading', { level: 1 }).count(), 1, name)
          assert.equal(await sideways(b.page), false, `${name} scrolls sideways`)
          await b.page.screenshot({ path: `${out}${name}-${theme}-${size}.png`, fullPage: size === 'desktop' && name === 'dashboard' })
        }
        assert.deepEqual(b.wrong, [])
      })

      everywhere('reaches the pages by the menu', async () => {
        await b.page.goto(under.url)
        for (const title of ['Device health', 'Alerts', 'Diagnostics', 'Logs', 'Dashboard']) {
          if (size === 'phone') await b.page.getByRole('button', { name: 'More', exact: true }).last().click()
          const menu = size === 'phone' ? b.page.getByRole('dialog') : b.page
          await menu.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: title }).click()
          await arrived(b.page, title)
        }
        assert.deepEqual(b.wrong, [])
      })
    })
  }
}

describe('anything else', () => {
  everywhere('says that there is no such page, and the way back works', async () => {
    const b = await browser()
    b.only(under.url)
    await cameIn(b.page, under)
    await b.page.goto(`${under.url}/nowhere`)
    await arrived(b.page, 'There is no such page')
    await b.page.getByRole('link', { name: 'To the dashboard' }).click()
    await arrived(b.page, 'Dashboard')
    await b.page.goBack()
    await arrived(b.page, 'There is no such page')
    await b.close()
    assert.deepEqual(b.wrong, [])
  })
})
