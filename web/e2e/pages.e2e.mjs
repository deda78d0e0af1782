// Every page by its address and by the menu, both themes, both sizes: it arrives, nothing goes wrong on
// the console, nobody else is asked, nothing scrolls sideways. The pictures are for looking at.
import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { arrived, browser, desktop, out, phone, portal, sideways, signIn } from './browser.mjs'

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
      let it_
      before(async () => {
        it_ = await browser({ viewport, colorScheme: theme })
        it_.only(under.url)
        await it_.page.goto(`${under.url}/login`)
        await it_.page.screenshot({ path: `${out}login-${theme}-${size}.png` })
        await signIn(it_.page, under)
      })
      after(() => it_.close())

      it('shows each page by its address', async () => {
        for (const [name, path, title] of pages) {
          await it_.page.goto(under.url + path)
          await arrived(it_.page, title)
          assert.equal(await it_.page.title(), `${title}, Lightship`)
          assert.equal(await it_.page.getByRole('heading', { level: 1 }).count(), 1, name)
          assert.equal(await sideways(it_.page), false, `${name} scrolls sideways`)
          await it_.page.screenshot({ path: `${out}${name}-${theme}-${size}.png`, fullPage: size === 'desktop' && name === 'dashboard' })
        }
        assert.deepEqual(it_.wrong, [])
      })

      it('reaches the pages by the menu', async () => {
        await it_.page.goto(under.url)
        for (const title of ['Device health', 'Alerts', 'Diagnostics', 'Logs', 'Dashboard']) {
          if (size === 'phone') await it_.page.getByRole('button', { name: 'More', exact: true }).last().click()
          const menu = size === 'phone' ? it_.page.getByRole('dialog') : it_.page
          await menu.getByRole('navigation', { name: 'Pages' }).getByRole('link', { name: title }).click()
          await arrived(it_.page, title)
        }
        assert.deepEqual(it_.wrong, [])
      })
    })
  }
}

describe('anything else', () => {
  it('says that there is no such page, and the way back works', async () => {
    const b = await browser()
    b.only(under.url)
    await signIn(b.page, under)
    await b.page.goto(`${under.url}/nowhere`)
    await arrived(b.page, 'There is no such page')
    await b.page.getByRole('link', { name: 'To the dashboard' }).click()
    await arrived(b.page, 'Dashboard')
    await b.page.goBack()
    await arrived(b.page, 'There is no such page')
    assert.deepEqual(b.wrong, [])
    await b.close()
  })
})
