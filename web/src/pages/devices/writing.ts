// What may be written: the text of the field as a value, or why not.
import { number } from '../../lib/format'
import { t } from '../../lib/i18n'
import type { Point } from '../../api/types'

export type Draft = { value: number | boolean | string; error: null } | { value: null; error: string }

export function rangeOf(point: Point): string | null {
  const limits = point.writable
  if (!limits || (limits.minimum === null && limits.maximum === null)) return null
  return t.write.range(number(limits.minimum), number(limits.maximum), point.unit)
}

export function draft(point: Point, text: string): Draft {
  if (typeof point.value === 'boolean' || point.type === 'bool' || point.type === 'bit') return { value: text === 'true', error: null }
  if (point.type === 'string') return { value: text, error: null }
  const clean = text.trim().replace(/\u2212/g, '-').replace(',', '.')
  if (!/^-?\d*\.?\d+(e[-+]?\d+)?$/i.test(clean)) return { value: null, error: t.write.notNumber }
  const value = Number(clean)
  const { minimum = null, maximum = null } = point.writable ?? {}
  if ((minimum !== null && value < minimum) || (maximum !== null && value > maximum)) return { value: null, error: t.write.outside(rangeOf(point) ?? '') }
  if (value === point.value) return { value: null, error: t.write.same }
  return { value, error: null }
}
