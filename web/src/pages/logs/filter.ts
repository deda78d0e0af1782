// Which lines are shown and which parts of them are marked.
import type { LogLine } from '../../api/types'

export const levels = ['debug', 'info', 'warn', 'error'] as const

export interface Wanted {
  level: string // and everything graver
  component: string
  device: string
  text: string
  regex: boolean
}

export function words(line: LogLine): string {
  const fields = Object.entries(line.fields).map(([name, value]) => `${name}=${String(value)}`)
  return [line.event, ...fields].join(' ')
}

export function expression(wanted: Pick<Wanted, 'text' | 'regex'>): { expression: RegExp | null; error: string | null } {
  if (!wanted.text) return { expression: null, error: null }
  try {
    return { expression: new RegExp(wanted.regex ? wanted.text : wanted.text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'), 'gi'), error: null }
  } catch (why) {
    return { expression: null, error: why instanceof Error ? why.message.replace(/^Invalid regular expression: /, '') : String(why) }
  }
}

// Everything but the text: that is a filter only where the reader wants it to be one.
export function keeps(wanted: Wanted): (line: LogLine) => boolean {
  const least = levels.indexOf(wanted.level as (typeof levels)[number])
  const device = wanted.device.trim().toLowerCase()
  return line => {
    if (levels.indexOf(line.level) < least) return false
    if (wanted.component && line.source !== wanted.component && !line.source.startsWith(`${wanted.component}/`)) return false
    if (device && !`${line.source} ${String(line.fields.device ?? '')}`.toLowerCase().includes(device)) return false
    return true
  }
}

export function matches(line: LogLine, found: RegExp): boolean {
  found.lastIndex = 0
  return found.test(`${line.source} ${words(line)}`)
}

export interface Piece {
  text: string
  marked: boolean
}
export function pieces(text: string, found: RegExp | null): Piece[] {
  if (!found) return [{ text, marked: false }]
  const all: Piece[] = []
  let from = 0
  for (const match of text.matchAll(found)) {
    if (!match[0]) continue
    if (match.index > from) all.push({ text: text.slice(from, match.index), marked: false })
    all.push({ text: match[0], marked: true })
    from = match.index + match[0].length
  }
  if (from < text.length) all.push({ text: text.slice(from), marked: false })
  return all
}
