// Figures as people read them: tabular digits, a true minus sign, units apart, never more digits than
// are known.

export const kMinus = '\u2212'
export const kNone = '–' // what stands where nothing is known

export interface Figure {
  text: string
  unit: string
}

export function number(value: number | null | undefined, digits?: number): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return kNone
  const places = digits ?? (Math.abs(value) >= 100 || Number.isInteger(value) ? 1 : Math.abs(value) >= 10 ? 2 : 3)
  const text = Math.abs(value).toLocaleString('en-US', {
    minimumFractionDigits: digits ?? 0,
    maximumFractionDigits: places,
  })
  return value < 0 && !/^[0.,]*$/.test(text) ? kMinus + text : text
}

export const count = (value: number | null | undefined) => number(value === null || value === undefined ? value : Math.round(value), 0)

// 99.95 stays below 100: a success of "100%" means that nothing failed.
export function percent(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return kNone
  if (value >= 99.95 && value < 100) return '99.9%'
  return `${number(value, Number.isInteger(value) || value >= 100 ? 0 : 1)}%`
}

const kSizes = ['B', 'kB', 'MB', 'GB', 'TB']
export function bytes(value: number | null | undefined): Figure {
  if (value === null || value === undefined || !Number.isFinite(value)) return { text: kNone, unit: '' }
  let size = value
  let step = 0
  while (size >= 999.5 && step < kSizes.length - 1) {
    size /= 1000
    ++step
  }
  return { text: number(size, step === 0 || size >= 99.95 ? 0 : 1), unit: kSizes[step] }
}
export const size = (value: number | null | undefined) => join(bytes(value))

// "18.2 of 28.9 GB": the unit is said once where both share it.
export function ofTotal(part: number, total: number): string {
  const a = bytes(part)
  const b = bytes(total)
  return a.unit === b.unit ? `${a.text} of ${b.text} ${b.unit}` : `${join(a)} of ${join(b)}`
}

export const join = (f: Figure) => (f.unit ? `${f.text} ${f.unit}` : f.text)

export function milliseconds(value: number | null | undefined): Figure {
  if (value === null || value === undefined || !Number.isFinite(value)) return { text: kNone, unit: '' }
  if (value >= 10_000) return { text: number(value / 1000, 1), unit: 's' }
  return { text: number(value, value < 10 && !Number.isInteger(value) ? 1 : 0), unit: 'ms' }
}

// A value of a point. Its decimals are those that its last minute needed, so that 231.0 does not become
// 231 for a second; at most as many as its size makes sense of.
export function reading(value: number | string | boolean | null | undefined, recent: (number | null)[] = []): string {
  if (value === null || value === undefined) return kNone
  if (typeof value === 'boolean') return value ? 'On' : 'Off'
  if (typeof value === 'string') return value
  const size = Math.abs(value)
  const most = size >= 100 ? 1 : size >= 10 ? 2 : 3
  let digits = decimals(value, most)
  for (const one of recent) if (one !== null && digits < most) digits = Math.max(digits, decimals(one, most))
  return number(value, digits)
}
function decimals(value: number, most: number): number {
  for (let n = 0; n < most; ++n) if (Math.abs(value - Number(value.toFixed(n))) < 1e-9 * Math.max(1, Math.abs(value))) return n
  return most
}

export function changeOf(now: number, before: number): string {
  if (before === 0) return kNone
  return percent(((now - before) / Math.abs(before)) * 100)
}

export function plural(n: number, one: string, many = `${one}s`): string {
  return `${count(n)} ${n === 1 ? one : many}`
}
