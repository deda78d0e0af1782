// The live connection against a scripted socket and a clock that is turned by hand.
import { beforeEach, describe, expect, it } from 'vitest'
import { Socket, type Connection, type World } from '../src/live/socket'

class Peer {
  readyState = 0
  sent: Record<string, unknown>[] = []
  onopen: (() => void) | null = null
  onmessage: ((event: { data: string }) => void) | null = null
  onclose: ((event: { code: number }) => void) | null = null
  send(text: string) {
    this.sent.push(JSON.parse(text) as Record<string, unknown>)
  }
  close() {
    this.readyState = 3
  }
  opens() {
    this.readyState = 1
    this.onopen?.()
  }
  says(frame: unknown) {
    this.onmessage?.({ data: JSON.stringify(frame) })
  }
  hangsUp(code = 1006) {
    this.readyState = 3
    this.onclose?.({ code })
  }
  get words() {
    return this.sent.filter(one => !('ping' in one))
  }
}

let now: number
let peers: Peer[]
let timers: { at: number; then: () => void }[]
let frames: (() => void)[]
let hidden: boolean
let states: Connection[]
let changes: string[][]
let unauthorized: number
let failed: string[]
let socket: Socket

function pass(ms: number) {
  const end = now + ms
  for (;;) {
    const next = timers.filter(timer => timer.at <= end).sort((a, b) => a.at - b.at)[0]
    if (!next) break
    now = next.at
    timers.splice(timers.indexOf(next), 1)
    next.then()
  }
  now = end
}
const paint = () => frames.splice(0).forEach(then => then())

beforeEach(() => {
  now = 100_000
  peers = []
  timers = []
  frames = []
  hidden = false
  states = []
  changes = []
  unauthorized = 0
  failed = []
  const world: World = {
    open: () => {
      const peer = new Peer()
      peers.push(peer)
      return peer as unknown as WebSocket
    },
    now: () => now,
    later: (ms, then) => {
      const timer = { at: now + ms, then }
      timers.push(timer)
      return () => timers.includes(timer) && timers.splice(timers.indexOf(timer), 1)
    },
    frame: then => frames.push(then),
    hidden: () => hidden,
  }
  socket = new Socket(world, {
    changed: topics => changes.push([...topics].sort()),
    failed: topic => failed.push(topic),
    connection: state => states.at(-1) !== state && states.push(state),
    unauthorized: () => (unauthorized += 1),
  })
})

describe('the live socket', () => {
  it('asks for what is watched once it is open', () => {
    socket.join('metrics')
    socket.start()
    peers[0].opens()
    expect(peers[0].words).toEqual([{ subscribe: ['metrics'] }])
  })
  it('applies a snapshot and the deltas that follow it, once a painted frame', () => {
    socket.join('metrics')
    socket.start()
    peers[0].opens()
    peers[0].says({ type: 'snapshot', topic: 'metrics', seq: 4, data: { a: 1 } })
    peers[0].says({ type: 'delta', topic: 'metrics', seq: 5, data: { b: 2 } })
    peers[0].says({ type: 'delta', topic: 'metrics', seq: 6, data: { a: null } })
    expect(changes).toEqual([])
    paint()
    expect(changes).toEqual([['metrics']])
    expect(socket.get('metrics')).toEqual({ b: 2 })
  })
  it('asks for a snapshot when a number is missing, and drops what it had already', () => {
    socket.join('metrics')
    socket.start()
    peers[0].opens()
    peers[0].says({ type: 'snapshot', topic: 'metrics', seq: 4, data: { a: 1 } })
    peers[0].says({ type: 'delta', topic: 'metrics', seq: 4, data: { a: 9 } })
    peers[0].says({ type: 'delta', topic: 'metrics', seq: 7, data: { a: 2 } })
    expect(socket.get('metrics')).toEqual({ a: 1 })
    expect(peers[0].words.at(-1)).toEqual({ subscribe: ['metrics'] })
  })
  it('resumes after a break, after 1, 2, 4, 8, 10 and 10 seconds', () => {
    socket.join('metrics')
    socket.start()
    peers[0].opens()
    peers[0].says({ type: 'snapshot', topic: 'metrics', seq: 41, data: {} })
    for (const [i, wait_s] of [1, 2, 4, 8, 10, 10].entries()) {
      peers[i].hangsUp()
      pass(wait_s * 1000 - 1)
      expect(peers).toHaveLength(i + 1)
      pass(1)
      expect(peers).toHaveLength(i + 2)
    }
    peers[6].opens()
    expect(peers[6].words).toEqual([{ resume: { metrics: 41 } }])
  })
  it('gives a new connection its time after a long break', () => {
    socket.join('metrics')
    socket.start()
    peers[0].opens()
    peers[0].says({ type: 'snapshot', topic: 'metrics', seq: 1, data: {} })
    peers[0].hangsUp()
    pass(60_000)
    const last = peers.at(-1)!
    last.opens()
    expect(last.readyState).toBe(1)
    last.says({ type: 'snapshot', topic: 'metrics', seq: 2, data: {} })
    expect(states.at(-1)).toBe('live')
  })
  it('leaves a connection that has been silent for 10 s', () => {
    socket.start()
    peers[0].opens()
    pass(12_000)
    expect(peers[0].readyState).toBe(3)
    expect(peers.length).toBeGreaterThan(1)
  })
  it('says that it is quiet after 3 s and lost after 15', () => {
    socket.start()
    peers[0].opens()
    peers[0].says({ type: 'pong', ping: 1 })
    pass(2000)
    expect(states.at(-1)).toBe('live')
    pass(2000)
    expect(states.at(-1)).toBe('quiet')
    pass(12_000)
    expect(states.at(-1)).toBe('lost')
  })
  it('shows nothing while nobody looks, and everything on waking', () => {
    socket.join('metrics')
    socket.start()
    peers[0].opens()
    hidden = true
    peers[0].says({ type: 'snapshot', topic: 'metrics', seq: 1, data: { a: 1 } })
    expect(frames).toHaveLength(0)
    hidden = false
    socket.wake()
    paint()
    expect(changes).toEqual([['metrics']])
  })
  it('keeps a topic through a change of page and leaves it when nobody came', async () => {
    socket.start()
    peers[0].opens()
    const leave = socket.join('alerts')
    leave()
    const again = socket.join('alerts')
    await Promise.resolve()
    expect(peers[0].words).toEqual([{ subscribe: ['alerts'] }])
    again()
    await Promise.resolve()
    expect(peers[0].words.at(-1)).toEqual({ unsubscribe: ['alerts'] })
  })
  it('asks whether the session is good when the upgrade is refused, and stops at a closed session', () => {
    socket.start()
    peers[0].hangsUp()
    expect(unauthorized).toBe(1)
    pass(1000)
    peers[1].opens()
    peers[1].hangsUp(4401)
    expect(unauthorized).toBe(2)
    pass(60_000)
    expect(peers).toHaveLength(2)
  })
  it('tells a page that its topic does not exist', () => {
    socket.join('device:x')
    socket.start()
    peers[0].opens()
    peers[0].says({ type: 'error', topic: 'device:x', problem: {} })
    expect(failed).toEqual(['device:x'])
  })
})
