// The way in: wrong, locked and forced change are three different messages; back to where one wanted.
import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, describe } from 'node:test'
import { arrived, browser, everywhere, onMock, portal, signIn } from './browser.mjs'

let under
let b
before(async () => (under = await portal()))
after(() => under.stop())
beforeEach(async () => {
  b = await browser()
  b.only(under.url)
})
afterEach(async () => {
  await b.close()
  assert.deepEqual(b.wrong, [])
})

const enter = async (user, password) => {
  await b.page.getByLabel('User').fill(user)
  await b.page.getByRole('textbox', { name: /^Password/ }).fill(password)
  await b.page.getByRole('button', { name: 'Sign in' }).click()
}

describe('signing in', () => {
  everywhere('leads back to the page that was asked for', async () => {
    await b.page.goto(`${under.url}/logs?level=warn`)
    await enter(under.user, under.password)
    await arrived(b.page, 'Logs')
    assert.match(b.page.url(), /\/logs\?level=warn$/)
  })

  onMock('says that the password is wrong, then that the account is locked and for how long', async () => {
    b.expect(/401/, /429/)
    await b.page.goto(`${under.url}/login`)
    await enter('guest', 'not this one')
    await b.page.getByText('User or password is wrong.').waitFor()
    for (let i = 0; i < 4; ++i) {
      await b.page.getByRole('textbox', { name: /^Password/ }).fill(`nor this ${i}`)
      const answered = b.page.waitForResponse('**/api/login')
      await b.page.getByRole('button', { name: 'Sign in' }).click()
      await answered
    }
    await b.page.getByText(/Too many wrong passwords. Try again in \d+ s/).waitFor()
    assert.equal(await b.page.getByRole('button', { name: 'Sign in' }).isDisabled(), true)
    under.mock.unlock()
  })

  onMock('forces a password of one\'s own at the first visit', async () => {
    await b.page.goto(`${under.url}/devices`)
    await enter('fresh', under.mock.users.fresh)
    await b.page.getByRole('heading', { name: 'First sign-in' }).waitFor()
    const next = b.page.getByRole('textbox', { name: 'New password', exact: false }).first()
    const again = b.page.getByRole('textbox', { name: /again/ })
    await next.fill('short')
    await again.fill('short')
    await b.page.getByRole('button', { name: 'Change and go on' }).click()
    await b.page.getByText('Too short').waitFor()
    await next.fill('a lamp that turns slowly')
    await again.fill('a lamp that turns slowlY')
    await b.page.getByRole('button', { name: 'Change and go on' }).click()
    await b.page.getByText('The two are not the same.').waitFor()
    await again.fill('a lamp that turns slowly')
    await b.page.getByRole('button', { name: 'Change and go on' }).click()
    await arrived(b.page, 'Device health')
  })

  everywhere('shows the password when asked, and hides it again', async () => {
    await b.page.goto(`${under.url}/login`)
    const field = b.page.getByRole('textbox', { name: /^Password/ })
    await field.fill('something')
    await b.page.getByRole('button', { name: 'Show password' }).click()
    assert.equal(await field.getAttribute('type'), 'text')
    await b.page.getByRole('button', { name: 'Hide password' }).click()
    assert.equal(await field.getAttribute('type'), 'password')
  })

  everywhere('gives a stranger the login page and nothing else', async () => {
    b.expect(/401/)
    const answer = await b.page.request.get(`${under.url}/api/device-health`)
    assert.equal(answer.status(), 401)
    await b.page.goto(`${under.url}/devices`)
    await b.page.getByRole('heading', { name: 'Sign in' }).waitFor()
  })

  everywhere('ends: after signing out the portal is closed', async () => {
    await signIn(b.page, under)
    await arrived(b.page, 'Dashboard')
    await b.page.getByRole('button', { name: /^Account of/ }).click()
    await b.page.getByRole('button', { name: 'Sign out' }).click()
    await b.page.getByRole('heading', { name: 'Sign in' }).waitFor()
    await b.page.goto(`${under.url}/`)
    await b.page.getByRole('heading', { name: 'Sign in' }).waitFor()
  })
})
