// axe finds nothing on any page, in both themes, at both sizes; windows that open are looked at too.
import assert from 'node:assert/strict'
import { after, before, describe } from 'node:test'
import { arrived, browser, cameIn, desktop, everywhere, onMock, phone, portal, real, violations } from './browser.mjs'

const pages = [
  ['/', 'Dashboard'],
  ['/devices', 'Device health'],
  [`/devices?device=${real ? 'pump-house%2Fpump' : 'remote-panel%2Fmeter-3'}`, 'Device health'],
  ['/alerts', 'Alerts'],
  ['/alerts?state=acknowledged', 'Alerts'],
  ...['hardware', 'network', 'buses', 'storage', 'time', 'bundle'].map(tab => [`/diagnostics?tab=${tab}`, 'Diagnostics']),
  ['/diagnostics?tab=buses&view=plan', 'Diagnostics'],
  ['/diagnostics?tab=buses&view=statistics', 'Diagnostics'],
  ['/logs', 'Logs'],
  ...['me', 'users', 'audit'].map(tab => [`/account?tab=${tab}`, 'Account']),
]

let under
before(async () => (under = await portal()))
after(() => under.stop())

for (const theme of ['light', 'dark']) {
  for (const [size, viewport] of Object.entries({ desktop, phone })) {
    describe(`axe, ${theme}, ${size}`, () => {
      let b
      before(async () => {
        b = await browser({ viewport, colorScheme: theme, bypassCSP: true })
      })
      after(() => b.close())

      everywhere('finds nothing on the login page', async () => {
        await b.page.goto(`${under.url}/login`)
        await b.page.getByRole('heading', { name: 'Sign in' }).waitFor()
        assert.deepEqual(await violations(b.page), [])
      })
      everywhere('finds nothing on the pages', async () => {
        await cameIn(b.page, under)
        const found = {}
        for (const [path, title] of pages) {
          await b.page.goto(under.url + path)
          await arrived(b.page, title)
          const wrong = await violations(b.page)
          if (wrong.length) found[path] = wrong
        }
        assert.deepEqual(found, {})
      })
      onMock('finds nothing in the windows', async () => {
        await cameIn(b.page, under)
        const found = {}
        const look = async name => {
          await b.page.getByRole('dialog').first().waitFor()
          const wrong = await violations(b.page)
          if (wrong.length) found[name] = wrong
        }
        await b.page.goto(`${under.url}/devices?device=relays%2Frelay-1&point=setpoint`)
        await arrived(b.page, 'Device health')
        await look('history')
        await b.page.getByRole('button', { name: 'Write…' }).click()
        await look('write')
        await b.page.goto(`${under.url}/`)
        await arrived(b.page, 'Dashboard')
        await b.page.keyboard.press('Control+k')
        await look('palette')
        await b.page.keyboard.press('Escape')
        await b.page.keyboard.press('?')
        await look('keys')
        assert.deepEqual(found, {})
      })
    })
  }
}
