// The list of tokens: whose each is, so that who leaves takes nothing along that nobody knows of.
import { flushSync, mount, unmount } from 'svelte'
import { afterEach, expect, it, vi } from 'vitest'
import type { Token } from '../src/api/types'
import Tokens from '../src/pages/account/Tokens.svelte'

afterEach(() => vi.unstubAllGlobals())

it('says of each token who made it', async () => {
  const token: Token = { id: 'a1', name: 'nightly report', user: 'berta', role: 'viewer', created: '2026-01-04T12:00:00.000Z', expires: null, last_used: null }
  vi.stubGlobal('fetch', vi.fn(async () => new Response(JSON.stringify({ items: [token], next: null }), { headers: { 'Content-Type': 'application/json' } })))
  const shown = mount(Tokens, { target: document.body })
  await vi.waitFor(() => {
    flushSync()
    expect(document.body.textContent).toContain('nightly report')
  })
  expect(document.body.textContent).toContain('made by berta')
  await unmount(shown)
})
