// Ages, spans and instants in words. Ages count on the gateway's clock: a browser whose clock is wrong
// must not make good values look old.

let offset_ms = 0

export function learnServerTime(time: string | undefined, here = Date.now()): void {
  if (!time) return
  const there = Date.parse(time)
  if (Number.isNaN(there)) return
  const found = there - here
  // Within a second it is the network's delay, not the clock.
  offset_ms = Math.abs(found) > 1000 ? found : 0
}
export const serverNow = () => Date.now() + offset_ms

// "0.4 s", "38 s", "12 min", "3 h", "5 d"
export function age(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return '–'
  const s = Math.max(0, seconds)
  if (s < 9.95) return `${s.toFixed(1)} s`
  if (s < 99.5) return `${Math.round(s)} s`
  if (s < 5970) return `${Math.round(s / 60)} min`
  if (s < 48 * 3600) return `${Math.round(s / 3600)} h`
  return `${Math.round(s / 86400)} d`
}
export const ago = (seconds: number | null | undefined) =>
  seconds === null || seconds === undefined ? 'never' : `${age(seconds)} ago`

export function ageOf(time: string | null | undefined, now = serverNow()): number | null {
  if (!time) return null
  const at = Date.parse(time)
  return Number.isNaN(at) ? null : Math.max(0, (now - at) / 1000)
}

// "41 d 6 h", "6 h 12 min", "12 min", "40 s": the two largest parts.
export function span(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return '–'
  const s = Math.max(0, Math.round(seconds))
  const parts: [number, string][] = [
    [Math.floor(s / 86400), 'd'],
    [Math.floor((s % 86400) / 3600), 'h'],
    [Math.floor((s % 3600) / 60), 'min'],
    [s % 60, 's'],
  ]
  const first = parts.findIndex(([n]) => n > 0)
  if (first < 0) return '0 s'
  return parts
    .slice(first, first === 2 ? 3 : first + 2)
    .filter(([n]) => n > 0)
    .map(([n, unit]) => `${n} ${unit}`)
    .join(' ')
}

const two = (n: number) => String(n).padStart(2, '0')
const kMonths = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

export const clock = (at: Date) => `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`
export const clockMs = (at: Date) => `${clock(at)}.${String(at.getMilliseconds()).padStart(3, '0')}`
export const day = (at: Date) => `${at.getDate()} ${kMonths[at.getMonth()]}`

// Today only the time is said, in another year the year too.
export function moment(time: string | null | undefined, now = new Date(serverNow())): string {
  if (!time) return '–'
  const at = new Date(time)
  if (Number.isNaN(at.getTime())) return '–'
  if (at.toDateString() === now.toDateString()) return clock(at)
  if (at.getFullYear() === now.getFullYear()) return `${day(at)} ${two(at.getHours())}:${two(at.getMinutes())}`
  return `${day(at)} ${at.getFullYear()} ${two(at.getHours())}:${two(at.getMinutes())}`
}

// The microseconds of a frame are beyond what Date holds; they are taken from the text.
export function clockMicro(time: string): string {
  const at = new Date(time)
  const fraction = /\.(\d+)/.exec(time)?.[1] ?? ''
  return `${clock(at)}.${fraction.padEnd(6, '0').slice(0, 6)}`
}

// "-12h" of an address, as seconds; absent or nonsense is null.
export function parsePeriod(text: string | null): number | null {
  const found = /^-?(\d+)(s|m|min|h|d|y)$/.exec(text ?? '')
  if (!found) return null
  const unit = { s: 1, m: 60, min: 60, h: 3600, d: 86400, y: 31_536_000 }[found[2]]!
  return Number(found[1]) * unit
}

// What a <input type="datetime-local"> holds, in local time.
export function toLocalInput(ms: number): string {
  const at = new Date(ms)
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}T${two(at.getHours())}:${two(at.getMinutes())}`
}
