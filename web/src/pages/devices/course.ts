// A history's answer as series for the chart, and the three figures that sum it up.
import type { HistoryAnswer } from '../../api/types'

export interface Course {
  times: number[] // seconds
  values: (number | null)[]
  low: (number | null)[] | null // of steps
  high: (number | null)[] | null
  least: number | null
  mean: number | null
  most: number | null
}

export function course(answer: HistoryAnswer): Course {
  const steps = answer.columns.length > 2
  const at = (name: string) => answer.columns.indexOf(name)
  const value = steps ? at('avg') : 1
  const low = steps ? at('min') : 1
  const high = steps ? at('max') : 1
  const weight = steps ? at('count') : -1
  const result: Course = { times: [], values: [], low: steps ? [] : null, high: steps ? [] : null, least: null, mean: null, most: null }
  let sum = 0
  let n = 0
  for (const row of answer.rows) {
    if (row[0] === null) continue
    const v = row[value] ?? null
    result.times.push(row[0] / 1000)
    result.values.push(v)
    result.low?.push(row[low] ?? null)
    result.high?.push(row[high] ?? null)
    if (v === null) continue
    const count = weight < 0 ? 1 : (row[weight] ?? 1)
    sum += v * count
    n += count
    result.least = Math.min(result.least ?? Infinity, row[low] ?? v)
    result.most = Math.max(result.most ?? -Infinity, row[high] ?? v)
  }
  result.mean = n > 0 ? sum / n : null
  return result
}

// A reading that came live after the answer; only where every reading is shown.
export function lengthen(answer: HistoryAnswer, time_ms: number, value: number | null): HistoryAnswer {
  const last = answer.rows.at(-1)?.[0] ?? 0
  if (answer.step_s !== null || answer.truncated || time_ms <= last) return answer
  return { ...answer, rows: [...answer.rows, [time_ms, value]] }
}
