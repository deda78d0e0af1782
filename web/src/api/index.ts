// Every endpoint of this half of the portal as a function; their answers are in types.ts.
import { address, get, lines, post, remove } from './http'
import type * as T from './types'

type Signal = { signal?: AbortSignal }
const segment = encodeURIComponent

export const metrics = (minutes: number, ask: Signal = {}) => get<T.MetricsAnswer>('/api/metrics', { ...ask, query: { minutes } })
export const status = (ask: Signal = {}) => get<T.Status>('/api/status', { ...ask, also: 503 }) // 503: something is late, and says so
export const restart = (part?: string) => post<void>('/api/service/restart', part ? { part } : {})

export const deviceHealth = (ask: Signal = {}) => get<T.List<T.Device>>('/api/device-health', ask)
export const registers = (id: string, ask: Signal & { fresh?: boolean } = {}) =>
  get<T.Registers>(`/api/device/${segment(id)}/registers`, { signal: ask.signal, query: { fresh: ask.fresh ? 1 : null } })
export const poll = (id: string) => post<void>(`/api/device/${segment(id)}/poll`)
export const write = (id: string, point: string, value: number | boolean | string, expected: T.Point['value']) =>
  post<T.Written>(`/api/device/${segment(id)}/write`, { point, value, expected })

export interface HistoryQuery {
  point: string
  from: string
  to: string
  step?: number | null
}
export const history = (query: HistoryQuery, ask: Signal = {}) => get<T.HistoryAnswer>('/api/history', { ...ask, query: { ...query } })
export const historyCsv = (query: HistoryQuery) => address('/api/history', { ...query, format: 'csv' })

export const hardware = (ask: Signal = {}) => get<T.Hardware>('/api/diag/hardware', ask)
export const network = (ask: Signal = {}) => get<T.Network>('/api/diag/network', ask)
export const clockState = (ask: Signal = {}) => get<T.ClockState>('/api/diag/time', ask)
export const ping = (host: string, count: number, signal: AbortSignal, each: (line: T.PingLine | T.PingAnswer) => void) =>
  lines<T.PingLine | T.PingAnswer>('/api/diag/ping', { host, count }, signal, each)
export const dns = (name: string, ask: Signal = {}) => post<T.DnsAnswer>('/api/diag/dns', { name }, ask)
export const port = (host: string, number: number, ask: Signal = {}) => post<T.PortAnswer>('/api/diag/port', { host, port: number }, ask)
export const diagLines = (ask: Signal = {}) => get<T.List<T.Line>>('/api/diag/lines', ask)
export const framesPcapng = (line: string) => address('/api/diag/frames.pcapng', { line })
export const explain = (about: string, ask: Signal = {}) => get<T.Explanation>('/api/diag/explain', { ...ask, query: { about } })
export const bundle = () => '/api/diag/bundle'

export interface LogQuery {
  level?: string
  component?: string
  device?: string
  text?: string
  regex?: boolean
  before?: number
  after?: number
  limit?: number
}
export const logs = (query: LogQuery, ask: Signal = {}) => get<T.List<T.LogLine>>('/api/logs', { ...ask, query: { ...query, regex: query.regex ? 1 : null } })
export const logsFile = (query: LogQuery) => address('/api/logs', { ...query, regex: query.regex ? 1 : null, format: 'jsonl' })

export const alerts = (state: T.Alert['state'], ask: Signal & { after?: string | null } = {}) =>
  get<T.List<T.Alert>>('/api/alerts', { signal: ask.signal, query: { state, after: ask.after } })
export const acknowledge = (id: string, note: string) => post<void>(`/api/alerts/${segment(id)}/ack`, { note })

export const audit = (ask: Signal & { after?: string | null } = {}) =>
  get<T.List<T.AuditEntry>>('/api/audit', { signal: ask.signal, query: { after: ask.after, limit: 100 } })
export const users = (ask: Signal = {}) => get<T.List<T.User>>('/api/users', ask)
export const addUser = (name: string, role: T.Role, password: string) => post<T.User>('/api/users', { name, role, password })
export const removeUser = (name: string) => remove(`/api/users/${segment(name)}`)
export const sessions = (ask: Signal = {}) => get<T.List<T.OpenSession>>('/api/sessions', ask)
export const endSession = (id: string) => remove(`/api/sessions/${segment(id)}`)
export const tokens = (ask: Signal = {}) => get<T.List<T.Token>>('/api/tokens', ask)
export const addToken = (name: string, role: T.Role, days: number | null) => post<T.NewToken>('/api/tokens', { name, role, days })
export const removeToken = (id: string) => remove(`/api/tokens/${segment(id)}`)
