// The filter of the frame monitor: words must all occur; "unit:7" and "fn:3" mean the fields; bytes may be
// written with or without spaces.
import type { Frame } from '../../api/types'

export function frameFilter(text: string, only_errors: boolean): (frame: Frame) => boolean {
  const words = text.trim().toLowerCase().split(/\s+/).filter(Boolean)
  const fields = words.filter(word => /^(unit|fn):\d+$/.test(word))
  const rest = words.filter(word => !fields.includes(word))
  const hexes = /^[0-9a-f\s]+$/.test(text.trim().toLowerCase()) && rest.length ? rest.join('') : null
  return frame => {
    if (only_errors && !frame.error) return false
    for (const field of fields) {
      const [name, value] = field.split(':')
      if ((name === 'unit' ? frame.unit : frame.function) !== Number(value)) return false
    }
    if (!rest.length) return true
    if (hexes && frame.bytes.replace(/\s+/g, '').toLowerCase().includes(hexes)) return true
    const all = `${frame.summary} ${frame.error ?? ''} ${frame.bytes}`.toLowerCase()
    return rest.every(word => all.includes(word))
  }
}

export const gap = (us: number | null): string => (us === null ? '' : us < 1000 ? `${us} µs` : us < 1_000_000 ? `${(us / 1000).toFixed(us < 100_000 ? 1 : 0)} ms` : `${(us / 1_000_000).toFixed(2)} s`)
