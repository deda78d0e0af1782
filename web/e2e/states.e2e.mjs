// The other faces of the pages: nothing there yet, very many, slow, an address of the LAN.
import assert from 'node:assert/strict'
import { networkInterfaces } from 'node:os'
import { describe } from 'node:test'
import { arrived, browser, onMock, out, portal, sideways, signIn } from './browser.mjs'

async function visit(options, then, view = {}) {
  const under = await portal(options)
  const b = await browser(view)
  b.only(under.url)
  try {
    await signIn(b.page, under)
    await then(b.page, under, b)
    assert.deepEqual(b.wrong, [])
  } finally {
    await b.close()
    await under.stop()
  }
}

describe('pages', () => {
  onMock('say what would be here when there is nothing', () =>
    visit({ scenario: 'empty' }, async (page, under) => {
      for (const [path, title, words] of [
        ['/', 'Dashboard', 'Three steps to the first reading'],
        ['/devices', 'Device health', 'No device yet'],
        ['/alerts', 'Alerts', 'No alert is active'],
        ['/diagnostics?tab=buses', 'Diagnostics', 'No line is configured'],
        ['/diagnostics?tab=gpio', 'Diagnostics', 'No GPIO on this machine'],
        ['/logs', 'Logs', /No line/],
        ['/account?tab=tokens', 'Account', 'No token yet'],
      ]) {
        await page.goto(under.url + path)
        await arrived(page, title)
        await page.getByText(words).first().waitFor()
        await page.screenshot({ path: `${out}empty-${path.replace(/\W+/g, '-')}.png` })
      }
    }))

  onMock('hold five hundred devices, filtered and sorted', () =>
    visit({ scenario: 'many' }, async (page, under) => {
      await page.goto(`${under.url}/devices`)
      await arrived(page, 'Device health')
      await page.getByRole('searchbox', { name: 'Filter devices' }).fill('meter 499')
      await page.waitForFunction(() => document.querySelectorAll('main ul a').length === 1)
      await page.getByRole('searchbox', { name: 'Filter devices' }).fill('')
      await page.getByRole('combobox', { name: 'Sort' }).selectOption('worst')
      await page.getByRole('link', { name: /Remote meter/ }).waitFor()
      assert.match(await page.getByRole('list', { name: 'Devices' }).getByRole('link').first().innerText(), /Remote meter/)
      await page.screenshot({ path: `${out}many.png` })
    }))

  onMock('show the shape of what is coming while it is slow', () =>
    visit({}, async (page, under) => {
      under.mock.delay.ms = 1200
      await page.goto(`${under.url}/diagnostics`)
      await page.getByRole('status').getByText('Loading').first().waitFor({ state: 'attached' })
      await arrived(page, 'Diagnostics')
    }))

  onMock('work over plain http on an address of the LAN', async t => {
    const host = Object.values(networkInterfaces()).flat().find(one => one.family === 'IPv4' && !one.internal)?.address
    if (!host) return t.skip('this machine has only a loopback address')
    await visit({ host }, async (page, under) => {
      assert.equal(await page.evaluate(() => isSecureContext), false)
      await page.goto(`${under.url}/devices`)
      await arrived(page, 'Device health')
      await page.getByText(/^Live$/).first().waitFor()
      assert.equal(await sideways(page), false)
    })
  })
})
