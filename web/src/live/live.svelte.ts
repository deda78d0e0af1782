// The live connection as runes: its state, and topics that last as long as the component that reads them.
import { learnServerTime } from '../lib/time'
import { session } from '../api/session'
import { ApiError } from '../api/http'
import type { Problem } from '../api/types'
import { Socket, type Connection } from './socket'

let state = $state<Connection>('connecting')
let round_trip_ms = $state<number | null>(null)
let last_frame = $state(Date.now())

export const connection = {
  get state() {
    return state
  },
  get round_trip_ms() {
    return round_trip_ms
  },
  get last_frame() {
    return last_frame
  },
  get fresh() {
    return state === 'live'
  },
  // It was heard, and is not any more: what is shown is what was. (Before the first word it was just fetched.)
  get old() {
    return state === 'quiet' || state === 'lost'
  },
}

class Shown {
  data = $state.raw<unknown>(undefined)
  problem = $state.raw<Problem | null>(null)
  at = $state(0)
}
const shown = new Map<string, Shown>()
let asking = false

const socket = new Socket(
  {
    open: () => new WebSocket(`${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/api/live`),
    now: () => Date.now(),
    later: (ms, then) => {
      const timer = setTimeout(then, ms)
      return () => clearTimeout(timer)
    },
    frame: then => requestAnimationFrame(then),
    hidden: () => document.hidden,
  },
  {
    changed(topics) {
      for (const name of topics) {
        const topic = shown.get(name)
        if (!topic) continue
        const data = socket.get(name)
        if (data && typeof data === 'object' && 'time' in data) learnServerTime((data as { time?: string }).time)
        topic.problem = null
        topic.at = Date.now()
        topic.data = data
      }
    },
    failed(name, problem) {
      const topic = shown.get(name)
      if (topic) topic.problem = problem
    },
    connection(next, ms, last) {
      if (state !== next) state = next
      // The figure is for reading: it follows once a second, by whole milliseconds.
      const rounded = ms === null ? null : Math.max(1, Math.round(ms))
      if (round_trip_ms !== rounded) round_trip_ms = rounded
      if (next !== 'live') last_frame = last
    },
    unauthorized() {
      if (asking) return
      asking = true
      session()
        .catch((why: unknown) => ApiError.from(why))
        .finally(() => (asking = false))
    },
  },
)

// While one signs out nothing is asked any more: the end of the session is known.
export async function silently(what: () => Promise<void>): Promise<void> {
  socket.stop()
  try {
    await what()
  } catch (why) {
    socket.start()
    throw why
  }
}

export function startLive(): void {
  socket.start()
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden) socket.wake()
  })
  addEventListener('online', () => socket.wake())
}

export interface Topic<T> {
  readonly data: T | undefined
  readonly problem: Problem | null
  readonly at: number
}

// To be called while a component is set up; the name may change, null is none.
export function topic<T>(name: () => string | null): Topic<T> {
  let current = $state.raw<Shown | null>(null)
  $effect.pre(() => {
    const wanted = name()
    if (wanted === null) {
      current = null
      return
    }
    const mine = shown.get(wanted) ?? new Shown()
    shown.set(wanted, mine)
    current = mine
    const known = socket.get(wanted)
    const leave = socket.join(wanted)
    if (known !== undefined) mine.data = known
    return () => {
      leave()
      queueMicrotask(() => {
        if (!socket.topics.has(wanted)) shown.delete(wanted)
      })
    }
  })
  return {
    get data() {
      return current?.data as T | undefined
    },
    get problem() {
      return current?.problem ?? null
    },
    get at() {
      return current?.at ?? 0
    },
  }
}
