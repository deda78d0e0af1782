// One way to ask: JSON in and out, problem+json as ApiError, the CSRF token on every change, and to the
// login page and back when the session has ended.
import { learnServerTime } from '../lib/time'
import type { Problem } from './types'

export class ApiError extends Error {
  readonly problem: Problem
  readonly retry_after_s: number | null

  constructor(problem: Problem, retry_after_s: number | null = null) {
    super(problem.detail || problem.title)
    this.name = 'ApiError'
    this.problem = problem
    this.retry_after_s = retry_after_s
  }

  get status() {
    return this.problem.status
  }

  is(type: string): boolean {
    return this.problem.type === type || this.problem.type.endsWith(`/${type}`) || this.problem.type.endsWith(`:${type}`)
  }

  static from(why: unknown): ApiError {
    if (why instanceof ApiError) return why
    // fetch says only "Failed to fetch": the gateway is off, restarting, or the network is.
    return new ApiError({
      type: 'unreachable',
      title: 'No answer from the gateway',
      status: 0,
      detail: 'The gateway did not answer. It may be restarting, or the network between it and this browser is down.',
    })
  }
}

let csrf = ''
export const setCsrf = (token: string) => (csrf = token)

let onUnauthorized = () => {}
export const whenUnauthorized = (then: () => void) => (onUnauthorized = then)

export interface Ask {
  method?: 'GET' | 'POST' | 'DELETE'
  body?: unknown
  query?: Record<string, string | number | boolean | null | undefined>
  signal?: AbortSignal
  stay?: boolean // a 401 is this call's own answer, not the end of the session
  accept?: string
  also?: number // a status that is an answer, too, where it is no problem+json
}

export function address(path: string, query: Ask['query'] = {}): string {
  const parts = new URLSearchParams()
  for (const [key, value] of Object.entries(query)) {
    if (value !== null && value !== undefined && value !== '') parts.set(key, String(value))
  }
  const text = parts.toString()
  return text ? `${path}?${text}` : path
}

export async function send(path: string, ask: Ask = {}): Promise<Response> {
  const method = ask.method ?? 'GET'
  const headers: Record<string, string> = { Accept: ask.accept ?? 'application/json' }
  if (method !== 'GET') headers['X-CSRF-Token'] = csrf
  if (ask.body !== undefined) headers['Content-Type'] = 'application/json'
  const answer = await fetch(address(path, ask.query), {
    method,
    headers,
    body: ask.body === undefined ? undefined : JSON.stringify(ask.body),
    signal: ask.signal,
    credentials: 'same-origin',
    cache: 'no-store',
  })
  if (answer.ok || (answer.status === ask.also && answer.headers.get('Content-Type')?.startsWith('application/json'))) return answer
  const problem = await readProblem(answer)
  if (answer.status === 401 && !ask.stay) onUnauthorized()
  const wait = Number(answer.headers.get('Retry-After'))
  throw new ApiError(problem, answer.headers.has('Retry-After') && Number.isFinite(wait) ? wait : null)
}

export async function get<T>(path: string, ask: Ask = {}): Promise<T> {
  const answer = await send(path, ask)
  if (answer.status === 204) return undefined as T
  const text = await answer.text()
  if (!text) return undefined as T
  const data = JSON.parse(text) as T & { time?: string }
  if (data && typeof data === 'object' && typeof data.time === 'string') learnServerTime(data.time)
  return data
}
export const post = <T>(path: string, body: unknown = {}, ask: Ask = {}) => get<T>(path, { ...ask, method: 'POST', body })
export const remove = (path: string, ask: Ask = {}) => get<void>(path, { ...ask, method: 'DELETE' })

async function readProblem(answer: Response): Promise<Problem> {
  const kind = answer.headers.get('Content-Type') ?? ''
  if (kind.includes('json')) {
    try {
      const found = (await answer.json()) as Partial<Problem>
      return {
        type: found.type ?? 'about:blank',
        title: found.title ?? answer.statusText,
        status: answer.status,
        detail: found.detail ?? '',
        errors: found.errors,
      }
    } catch {
      /* not what it said it was */
    }
  }
  return { type: 'about:blank', title: answer.statusText || 'Error', status: answer.status, detail: `The gateway answered ${answer.status}.` }
}

// Lines of JSON as they come, for tools that run for a while.
export async function lines<T>(path: string, body: unknown, signal: AbortSignal, each: (line: T) => void): Promise<void> {
  const answer = await send(path, { method: 'POST', body, signal, accept: 'application/x-ndjson, application/json' })
  if (!answer.headers.get('Content-Type')?.includes('ndjson') || !answer.body) {
    each((await answer.json()) as T)
    return
  }
  const reader = answer.body.getReader()
  const decoder = new TextDecoder()
  let rest = ''
  for (;;) {
    const { done, value } = await reader.read()
    rest += done ? decoder.decode() : decoder.decode(value, { stream: true })
    const whole = rest.split('\n')
    rest = done ? '' : whole.pop()!
    for (const line of whole) if (line.trim()) each(JSON.parse(line) as T)
    if (done) return
  }
}
