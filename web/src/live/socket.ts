// The one WebSocket of a tab: topics are asked for while somebody shows them, sequence numbers prove
// that nothing is missing, and after a break the talk is resumed where it stopped.
//
// Knows neither Svelte nor the page; time, socket and the frame clock come from outside.
import { merge } from './merge'
import type { LiveFrame, Problem } from '../api/types'

export type Connection = 'connecting' | 'live' | 'quiet' | 'lost'

export interface World {
  open(): WebSocket
  now(): number
  later(ms: number, then: () => void): () => void
  frame(then: () => void): void // before the next paint; never while hidden
  hidden(): boolean
}

export interface Watcher {
  changed(topics: Set<string>): void
  failed(topic: string, problem: Problem): void
  connection(state: Connection, round_trip_ms: number | null, last_frame: number): void
  unauthorized(): void
}

const kRetry_s = [1, 2, 4, 8, 10]
const kPing_ms = 1000
const kQuiet_ms = 3000
const kDead_ms = 10_000
const kUnauthorized = 4401 // the close code that stands for 401 once the upgrade is done
const kHello_ms = 5000

interface Topic {
  data: unknown
  seq: number | null // null: a snapshot is needed
  users: number
}

export class Socket {
  readonly topics = new Map<string, Topic>()
  #world: World
  #watcher: Watcher
  #socket: WebSocket | null = null
  #open = false
  #opened = 0
  #attempt = 0
  #last = 0
  #round_trip: number | null = null
  #pinged = new Map<number, number>()
  #ping = 0
  #state: Connection = 'connecting'
  #dirty = new Set<string>()
  #scheduled = false
  #cancelRetry: (() => void) | null = null
  #cancelBeat: (() => void) | null = null
  #leaving = new Set<string>()

  constructor(world: World, watcher: Watcher) {
    this.#world = world
    this.#watcher = watcher
  }

  start() {
    this.#last = this.#world.now()
    this.#connect()
    this.#beat()
  }

  stop() {
    this.#cancelRetry?.()
    this.#cancelBeat?.()
    const socket = this.#socket
    this.#socket = null
    this.#open = false
    socket?.close()
  }

  get(topic: string): unknown {
    return this.topics.get(topic)?.data
  }

  join(name: string): () => void {
    const topic = this.topics.get(name) ?? { data: undefined, seq: null, users: 0 }
    this.topics.set(name, topic)
    topic.users += 1
    // A page change leaves and joins in one go; only what is left after it is said.
    if (this.#leaving.delete(name)) void 0
    else if (topic.users === 1) this.#say({ subscribe: [name] })
    let joined = true
    return () => {
      if (!joined) return
      joined = false
      topic.users -= 1
      if (topic.users > 0) return
      this.#leaving.add(name)
      queueMicrotask(() => {
        if (!this.#leaving.delete(name) || topic.users > 0) return
        this.topics.delete(name)
        this.#say({ unsubscribe: [name] })
      })
    }
  }

  // Called when the tab is looked at again: what came meanwhile is shown, and a beat is asked at once.
  wake() {
    if (this.#dirty.size) this.#schedule()
    if (!this.#socket) {
      this.#cancelRetry?.()
      this.#attempt = 0
      this.#connect()
    }
    this.#last = Math.max(this.#last, this.#world.now() - kPing_ms)
    this.#sendPing()
  }

  #connect() {
    this.#cancelRetry = null
    const socket = this.#world.open()
    this.#socket = socket
    const opened_at = this.#world.now()
    let greeted = false
    socket.onopen = () => {
      if (socket !== this.#socket) return
      greeted = true
      this.#open = true
      this.#opened = this.#world.now()
      this.#attempt = 0
      this.#pinged.clear()
      this.#hello()
      this.#sendPing()
    }
    socket.onmessage = event => {
      if (socket !== this.#socket || typeof event.data !== 'string') return
      this.#receive(JSON.parse(event.data) as LiveFrame)
    }
    socket.onclose = event => {
      if (socket !== this.#socket) return
      this.#socket = null
      this.#open = false
      this.#round_trip = null
      if (event.code === kUnauthorized) return this.#watcher.unauthorized()
      // A refused upgrade tells the browser nothing; the page asks whether the session is still good.
      if (!greeted && this.#world.now() - opened_at < kHello_ms) this.#watcher.unauthorized()
      const wait = kRetry_s[Math.min(this.#attempt, kRetry_s.length - 1)]
      this.#attempt += 1
      this.#cancelRetry = this.#world.later(wait * 1000, () => this.#connect())
      this.#judge()
    }
  }

  #hello() {
    const resume: Record<string, number> = {}
    const subscribe: string[] = []
    for (const [name, topic] of this.topics) {
      if (topic.users === 0) continue
      if (topic.seq === null) subscribe.push(name)
      else resume[name] = topic.seq
    }
    if (subscribe.length) this.#say({ subscribe })
    if (Object.keys(resume).length) this.#say({ resume })
  }

  #receive(frame: LiveFrame) {
    this.#last = this.#world.now()
    if (frame.type === 'pong') {
      const sent = this.#pinged.get(frame.ping)
      if (sent !== undefined) this.#round_trip = this.#last - sent
      this.#pinged.clear()
    } else if (frame.type === 'error') {
      if (frame.topic !== undefined && this.topics.has(frame.topic)) this.#watcher.failed(frame.topic, frame.problem)
    } else {
      this.#apply(frame)
    }
    this.#judge()
  }

  #apply(frame: Extract<LiveFrame, { type: 'snapshot' | 'delta' }>) {
    const topic = this.topics.get(frame.topic)
    if (!topic) return
    if (frame.type === 'delta') {
      if (topic.seq === null || frame.seq <= topic.seq) return
      if (frame.seq !== topic.seq + 1) {
        topic.seq = null
        this.#say({ subscribe: [frame.topic] })
        return
      }
      topic.data = merge(topic.data, frame.data)
    } else {
      topic.data = frame.data
    }
    topic.seq = frame.seq
    this.#dirty.add(frame.topic)
    this.#schedule()
  }

  #schedule() {
    if (this.#scheduled || this.#world.hidden()) return
    this.#scheduled = true
    this.#world.frame(() => {
      this.#scheduled = false
      if (this.#world.hidden()) return
      const dirty = this.#dirty
      this.#dirty = new Set()
      this.#watcher.changed(dirty)
    })
  }

  #beat() {
    this.#cancelBeat = this.#world.later(kPing_ms, () => {
      this.#sendPing()
      this.#judge()
      this.#beat()
    })
  }

  #sendPing() {
    if (!this.#open) return
    if (this.#world.now() - Math.max(this.#last, this.#opened) > kDead_ms && !this.#world.hidden()) {
      // Half open: the other side is gone and the network has not said so.
      const socket = this.#socket
      socket?.onclose?.(new CloseEvent('close', { code: 1006 }))
      socket?.close()
      return
    }
    this.#ping += 1
    this.#pinged.set(this.#ping, this.#world.now())
    this.#say({ ping: this.#ping })
  }

  #judge() {
    const silent = this.#world.now() - this.#last
    const state: Connection = this.#open && silent < kQuiet_ms ? 'live' : this.#state === 'connecting' && silent < kQuiet_ms ? 'connecting' : silent < 15_000 ? 'quiet' : 'lost'
    this.#state = state
    this.#watcher.connection(state, this.#round_trip, this.#last)
  }

  #say(message: unknown) {
    if (this.#open && this.#socket?.readyState === 1) this.#socket.send(JSON.stringify(message))
  }
}
