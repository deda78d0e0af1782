// The past of the figures, lengthened by what comes live: one row a step, the newest always shown.
import type { Metrics, MetricsHistory } from '../../api/types'

type Column = MetricsHistory['columns'][number]

export function present(metrics: Metrics, column: Column): number | null {
  switch (column) {
    case 'cpu_percent':
      return metrics.system.cpu_percent
    case 'memory_used_bytes':
      return metrics.system.memory_used_bytes
    case 'temperature_c':
      return metrics.system.temperature_c
    case 'disk_free_bytes':
      return metrics.system.disk_free_bytes
    case 'waiting':
      return metrics.waiting
    default:
      return metrics.rates[column]
  }
}

export function extend(history: MetricsHistory, metrics: Metrics, longest: number): MetricsHistory {
  const begin = Date.parse(history.from)
  const index = Math.floor((Date.parse(metrics.time) - begin) / (history.step_s * 1000))
  if (!Number.isFinite(index) || index < history.rows.length - 1) return history
  const rows = history.rows.slice()
  // A pause leaves a gap, not a straight line; after a very long one only its end is of interest.
  const missing = Math.min(index - rows.length, longest)
  for (let i = 0; i < missing; ++i) rows.push(history.columns.map(() => null))
  rows[missing > 0 ? rows.length : Math.min(index, rows.length)] = history.columns.map(column => present(metrics, column))
  const drop = Math.max(0, rows.length - longest)
  const last = begin + index * history.step_s * 1000
  return { ...history, from: new Date(last - (rows.length - drop - 1) * history.step_s * 1000).toISOString(), rows: drop ? rows.slice(drop) : rows }
}

export function column(history: MetricsHistory | undefined, name: Column, scale = 1): (number | null)[] {
  const at = history?.columns.indexOf(name) ?? -1
  if (!history || at < 0) return []
  return history.rows.map(row => {
    const value = row[at]
    return value === null || value === undefined ? null : value * scale
  })
}

export function times(history: MetricsHistory): number[] {
  const begin = Date.parse(history.from) / 1000
  return history.rows.map((_, i) => begin + i * history.step_s)
}

// As many values as a spark has room for; each the mean of those it stands for.
export function thin(values: (number | null)[], most = 90): (number | null)[] {
  if (values.length <= most) return values
  const result: (number | null)[] = []
  for (let i = 0; i < most; ++i) {
    const part = values.slice(Math.floor((i * values.length) / most), Math.floor(((i + 1) * values.length) / most))
    const known = part.filter(value => value !== null)
    result.push(known.length ? known.reduce((sum, value) => sum + value, 0) / known.length : null)
  }
  return result
}
