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

// A value of a point with the digits it came with, at least as many as its neighbours need to stand
// still: a float of a meter keeps at most five significant ones.
export function reading(value: number | string | boolean | null | undefined): string {
  if (value === null || value === undefined) return kNone
  if (typeof value === 'boolean') return value ? 'On' : 'Off'
  if (typeof value === 'string') return value
  const size = Math.abs(value)
  if (Number.isInteger(value)) return number(value, 0)
  return number(value, size >= 1000 ? 1 : size >= 100 ? 1 : size >= 10 ? 2 : 3)
}

export function changeOf(now: number, before: number): string {
  if (before === 0) return kNone
  return percent(((now - before) / Math.abs(before)) * 100)
}

export function plural(n: number, one: string, many = `${one}s`): string {
  return `${count(n)} ${n === 1 ? one : many}`
}
