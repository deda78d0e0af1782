// How answers become data or errors.
import { afterEach, describe, expect, it, vi } from 'vitest'
import { ApiError, address, get, lines, post, setCsrf, whenUnauthorized } from '../src/api/http'

const answers = (status: number, body: string, headers: Record<string, string> = {}) => vi.stubGlobal('fetch', vi.fn(async () => new Response(status === 204 ? null : body, { status, headers })))
afterEach(() => vi.unstubAllGlobals())

describe('an answer', () => {
  it('that is a problem becomes an error with its words', async () => {
    answers(409, JSON.stringify({ type: 'changed', title: 'Conflict', detail: 'The value is 3 by now.' }), { 'Content-Type': 'application/problem+json' })
    const error = await post('/api/x').catch((why: unknown) => ApiError.from(why))
    expect(error).toMatchObject({ message: 'The value is 3 by now.', status: 409 })
    expect((error as ApiError).is('changed')).toBe(true)
  })
  it('that is no problem+json still says its number', async () => {
    answers(502, '<html>', { 'Content-Type': 'text/html' })
    await expect(get('/api/x')).rejects.toThrow('502')
  })
  it('that never comes says what it may be', async () => {
    vi.stubGlobal('fetch', vi.fn(() => Promise.reject(new TypeError('Failed to fetch'))))
    expect(ApiError.from(await get('/api/x').catch((why: unknown) => why)).message).toMatch(/did not answer/)
  })
  it('401 leads to the login page, unless it is the call\'s own', async () => {
    const left = vi.fn()
    whenUnauthorized(left)
    answers(401, '{}', { 'Content-Type': 'application/json' })
    await get('/api/x').catch(() => {})
    expect(left).toHaveBeenCalledTimes(1)
    await post('/api/login', {}, { stay: true }).catch(() => {})
    expect(left).toHaveBeenCalledTimes(1)
  })
  it('429 tells how long to wait', async () => {
    answers(429, '{}', { 'Retry-After': '30', 'Content-Type': 'application/json' })
    expect(((await get('/api/x').catch((why: unknown) => why)) as ApiError).retry_after_s).toBe(30)
  })
  it('503 is one where the page has said so, unless it is a problem', async () => {
    answers(503, '{"late":["mqtt"]}', { 'Content-Type': 'application/json' })
    expect(await get('/api/status', { also: 503 })).toEqual({ late: ['mqtt'] })
    expect(ApiError.from(await get('/api/status').catch((why: unknown) => why)).status).toBe(503)
    answers(503, '{"detail":"hangs"}', { 'Content-Type': 'application/problem+json' })
    await expect(get('/api/status', { also: 503 })).rejects.toThrow('hangs')
  })
  it('without a body is nothing', async () => {
    answers(204, '')
    expect(await post('/api/x')).toBeUndefined()
  })
})

describe('a question', () => {
  it('that changes something carries the token, one that reads does not', async () => {
    answers(200, '{}')
    setCsrf('abc')
    await post('/api/x', { a: 1 })
    await get('/api/x')
    const [first, second] = vi.mocked(fetch).mock.calls.map(call => call[1]!.headers as Record<string, string>)
    expect(first['X-CSRF-Token']).toBe('abc')
    expect(second['X-CSRF-Token']).toBeUndefined()
  })
  it('leaves out what is not given', () => expect(address('/api/x', { a: 1, b: null, c: '', d: undefined, e: false })).toBe('/api/x?a=1&e=false'))
})

describe('a tool that runs', () => {
  it('is told line by line, however the bytes are cut', async () => {
    const parts = ['{"a":1}\n{"a"', ':2}\n', '{"a":3}']
    const body = new ReadableStream({ start: c => (parts.forEach(part => c.enqueue(new TextEncoder().encode(part))), c.close()) })
    vi.stubGlobal('fetch', vi.fn(async () => new Response(body, { headers: { 'Content-Type': 'application/x-ndjson' } })))
    const seen: unknown[] = []
    await lines('/api/x', {}, new AbortController().signal, line => seen.push(line))
    expect(seen).toEqual([{ a: 1 }, { a: 2 }, { a: 3 }])
  })
})
