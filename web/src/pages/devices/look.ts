// How devices and their values look, and in which order they stand.
import type { Device, DeviceState, Quality } from '../../api/types'

export type Look = 'good' | 'warning' | 'alarm' | 'stale' | 'busy'

const looks: Record<DeviceState, Look> = { ok: 'good', slow: 'warning', failing: 'warning', offline: 'alarm', disabled: 'stale', starting: 'busy' }
export const look = (state: DeviceState): Look => looks[state] ?? 'stale'

const qualities: Record<Quality, Look> = { good: 'good', stale: 'warning', bad: 'alarm' }
export const qualityLook = (quality: Quality): Look => qualities[quality] ?? 'stale'

const rank: Record<DeviceState, number> = { offline: 0, failing: 1, slow: 2, starting: 3, ok: 4, disabled: 5 }

export type Order = 'line' | 'worst' | 'slow' | 'name'

export interface Group {
  key: string
  title: string
  note: string
  devices: Device[]
}

export function matches(device: Device, text: string): boolean {
  const words = text.trim().toLowerCase().split(/\s+/).filter(Boolean)
  const all = `${device.name} ${device.id} ${device.model ?? ''} ${device.connection_title} ${device.line} unit ${device.unit_id ?? ''} ${device.state}`.toLowerCase()
  return words.every(word => all.includes(word))
}

export function arrange(devices: Device[], order: Order): Group[] {
  const byName = (a: Device, b: Device) => a.name.localeCompare(b.name, undefined, { numeric: true }) || a.id.localeCompare(b.id)
  if (order !== 'line') {
    const sorted = [...devices].sort((a, b) => {
      if (order === 'worst') return rank[a.state] - rank[b.state] || (a.success_percent ?? 101) - (b.success_percent ?? 101) || byName(a, b)
      if (order === 'slow') return (b.latency_p50_ms ?? -1) - (a.latency_p50_ms ?? -1) || byName(a, b)
      return byName(a, b)
    })
    return sorted.length ? [{ key: '', title: '', note: '', devices: sorted }] : []
  }
  const groups = new Map<string, Group>()
  for (const device of devices) {
    const found = groups.get(device.connection) ?? { key: device.connection, title: device.connection_title, note: device.line, devices: [] }
    found.devices.push(device)
    groups.set(device.connection, found)
  }
  return [...groups.values()]
}
