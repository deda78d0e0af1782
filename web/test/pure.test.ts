// The pure functions: figures, times, lists, patches, filters. The unhappy path first.
import { readFileSync } from 'node:fs'
import { afterEach, describe, expect, it } from 'vitest'
import { bytes, join, milliseconds, number, ofTotal, percent, reading } from '../src/lib/format'
import { age, ageOf, clockMicro, learnServerTime, parsePeriod, serverNow, span } from '../src/lib/time'
import { fit } from '../src/lib/search'
import { reveal, step, visible } from '../src/lib/virtual'
import { itemsOf, merge } from '../src/live/merge'
import { area, bounds, line, pieces } from '../src/charts/path'
import { timeMark } from '../src/charts/axis'
import { column, extend, thin } from '../src/pages/dashboard/course'
import { course, lengthen } from '../src/pages/devices/course'
import { arrange, matches } from '../src/pages/devices/look'
import { draft } from '../src/pages/devices/writing'
import { frameFilter, gap } from '../src/pages/diagnostics/filter'
import * as logs from '../src/pages/logs/filter'
import { destination, wait } from '../src/pages/login/where'
import { en } from '../src/lib/i18n/en'
import { browser } from '../src/pages/account/browser'
import type { Device, Frame, HistoryAnswer, LogLine, Metrics, MetricsHistory, Point } from '../src/api/types'

describe('figures', () => {
  it('say nothing where nothing is known', () => {
    expect([number(null), percent(undefined), join(bytes(NaN)), join(milliseconds(null)), reading(null)]).toEqual(['–', '–', '–', '–', '–'])
  })
  it('carry a true minus sign, and none on a zero', () => {
    expect(number(-4.2, 1)).toBe('−4.2')
    expect(number(-0.001, 1)).toBe('0.0')
  })
  it('never round a loss away', () => expect(percent(99.98)).toBe('99.9%'))
  it('write percent without a space', () => expect([percent(9.8), percent(100), percent(0)]).toEqual(['9.8%', '100%', '0%']))
  it('choose the unit of a size', () => expect([join(bytes(999)), join(bytes(1_473_608)), ofTotal(18.2e9, 28.9e9), ofTotal(412e6, 1.004e9)]).toEqual(['999 B', '1.5 MB', '18.2 of 28.9 GB', '412 MB of 1.0 GB']))
  it('keep the decimals that the last minute needed', () => {
    expect(reading(231, [231.3, 230.9])).toBe('231.0')
    expect(reading(0.98, [0.977])).toBe('0.980')
    expect(reading(185453.84)).toBe('185,453.8')
    expect(reading(7, [6, 7])).toBe('7')
  })
})

describe('times', () => {
  afterEach(() => learnServerTime(new Date().toISOString()))
  it('count an age in its unit', () => expect([0.42, 38, 12 * 60, 5 * 3600, 3 * 86400].map(age)).toEqual(['0.4 s', '38 s', '12 min', '5 h', '3 d']))
  it('say the two largest parts of a span', () => expect([span(41 * 86400 + 6 * 3600), span(3600), span(90), span(0)]).toEqual(['41 d 6 h', '1 h', '1 min', '0 s']))
  it('count ages on the clock of the gateway', () => {
    learnServerTime(new Date(Date.now() - 3600_000).toISOString())
    expect(ageOf(new Date(serverNow() - 5000).toISOString())).toBeCloseTo(5, 1)
    expect(ageOf('nonsense')).toBeNull()
  })
  it('read a period of an address, and nothing else', () => expect([parsePeriod('-12h'), parsePeriod('7d'), parsePeriod('soon'), parsePeriod(null)]).toEqual([43200, 604800, null, null]))
  it('keep the microseconds that Date drops', () => expect(clockMicro('2026-11-21T10:00:00.123456Z').slice(-7)).toBe('.123456'))
  it('mark an axis by its step', () => {
    const at = new Date(2026, 10, 14, 0, 0).getTime() / 1000
    expect([timeMark(at, 86400), timeMark(at + 600, 600), timeMark(at + 10, 10)]).toEqual(['14 Sat', '00:10', '00:00:10'])
  })
})

describe('long lists', () => {
  it('show nothing of nothing', () => expect(visible(0, 36, 0, 400)).toEqual({ first: 0, last: 0, before: 0, after: 0 }))
  it('hold only what is seen, and stay within the list', () => {
    expect(visible(50_000, 36, 36_000, 360)).toEqual({ first: 996, last: 1014, before: 996 * 36, after: (50_000 - 1014) * 36 })
    const end = visible(10, 36, 99_999, 360)
    expect(end.last).toBe(10)
    expect(end.first).toBeLessThan(10)
  })
  it('move by keys and stop at the ends', () => expect([step('ArrowUp', 0, 5, 3), step('End', 0, 5, 3), step('PageDown', 3, 5, 3), step('x', 0, 5, 3), step('Home', 0, 0, 3)]).toEqual([0, 4, 4, null, null]))
  it('scroll no further than needed', () => expect([reveal(0, 20, 100, 200), reveal(20, 20, 100, 200), reveal(7, 20, 100, 200)]).toEqual([0, 220, 100]))
})

describe('merge patches', () => {
  it('follow RFC 7396', () => {
    expect(merge({ a: 1, b: { c: 2, d: 3 } }, { a: null, b: { c: 4 } })).toEqual({ b: { c: 4, d: 3 } })
    expect(merge({ a: [1] }, { a: [2, 3] })).toEqual({ a: [2, 3] })
    expect(merge('x', { a: { b: null } })).toEqual({ a: {} })
  })
  it('lengthen lists and keep the newest', () => expect(merge({ items: [1, 2, 3] }, { items: { append: [4], keep: 3 } })).toEqual({ items: [2, 3, 4] }))
  it('make of every vector what the hub meant', () => {
    const vectors = JSON.parse(readFileSync('../tests/vectors/merge_patch.json', 'utf8')) as { what: string; before: unknown; after: unknown; patch: unknown }[]
    expect(vectors.length).toBeGreaterThan(10)
    for (const { what, before, after, patch } of vectors) expect(merge(before, patch), what).toEqual(after)
  })
  it('leave alone what the patch does not touch', () => {
    const before = { items: { a: { v: 1 }, b: { v: 2 } } }
    const after = merge(before, { items: { b: { v: 3 } } }) as typeof before
    expect(after.items.a).toBe(before.items.a)
    expect(before.items.b.v).toBe(2)
  })
  it('give items keyed or listed as a list', () => expect([itemsOf({ items: { a: 1 } }), itemsOf({ items: [1] }), itemsOf(undefined)]).toEqual([[1], [1], []]))
})

describe('sparks', () => {
  it('make flat look flat where the limits are known', () => {
    const range = bounds([50, 50.4], 0, 100)
    expect(range.high - range.low).toBeGreaterThan(20)
  })
  it('leave a gap where values are missing', () => expect(pieces([1, null, 2, 3], 30, 10, { low: 0, high: 4 })).toHaveLength(2))
  it('draw a single value as a point and no area', () => {
    expect(line([[3, 4]])).toBe('M3 4h0.01')
    expect(area([[3, 4]], 10)).toBe('')
  })
})

describe('the course of the figures', () => {
  const history = (rows: number): MetricsHistory => ({ step_s: 10, from: '2026-01-01T00:00:00Z', columns: ['cpu_percent', 'polls'], rows: Array.from({ length: rows }, (_, i) => [i, i]) })
  const metrics = (time: string) => ({ time, system: { cpu_percent: 99 }, rates: { polls: 5 }, waiting: 0 }) as unknown as Metrics
  it('is untouched by what came before its end', () => {
    const past = history(6)
    expect(extend(past, metrics('2026-01-01T00:00:11Z'), 100)).toBe(past)
  })
  it('shows the newest in the present step, then in the next', () => {
    expect(extend(history(6), metrics('2026-01-01T00:00:55Z'), 100).rows.at(-1)).toEqual([99, 5])
    expect(extend(history(6), metrics('2026-01-01T00:01:00Z'), 100).rows).toHaveLength(7)
  })
  it('leaves a gap after a pause and drops the oldest', () => {
    const next = extend(history(6), metrics('2026-01-01T00:01:20Z'), 6)
    expect(next.rows).toHaveLength(6)
    expect(next.rows.slice(-3)).toEqual([[null, null], [null, null], [99, 5]])
    expect(next.from).toBe('2026-01-01T00:00:30.000Z')
  })
  it('is thinned by means', () => expect(thin([1, 3, null, null, 5, 7], 3)).toEqual([2, null, 6]))
  it('gives a column by name', () => expect(column(history(3), 'polls', 60)).toEqual([0, 60, 120]))
})

describe('the history of a point', () => {
  const raw: HistoryAnswer = { point: 'a', unit: 'V', step_s: null, tier: 'raw', from: '', to: '', columns: ['time', 'value'], rows: [[1000, 2], [2000, null], [3000, 4]], truncated: false }
  it('sums up only what is known', () => expect(course(raw)).toMatchObject({ times: [1, 2, 3], values: [2, null, 4], least: 2, mean: 3, most: 4, low: null }))
  it('weighs steps by their count', () => {
    const steps: HistoryAnswer = { ...raw, step_s: 60, columns: ['time', 'min', 'avg', 'max', 'last', 'count', 'coverage'], rows: [[0, 1, 2, 9, 2, 1, 1], [60000, 0, 4, 5, 4, 3, 1]] }
    expect(course(steps)).toMatchObject({ least: 0, mean: 3.5, most: 9 })
  })
  it('grows by what comes live, once', () => {
    expect(lengthen(raw, 4000, 5).rows).toHaveLength(4)
    expect(lengthen(raw, 3000, 5)).toBe(raw)
  })
})

describe('devices', () => {
  const device = (id: string, more: Partial<Device> = {}) => ({ id, name: id, connection: id.split('/')[0], connection_title: 'Line', line: 'tcp', model: 'EM6400', unit_id: 7, state: 'ok', latency_p50_ms: 1, success_percent: 100, ...more }) as Device
  it('are found by several words in any field', () => {
    expect(matches(device('a/pump'), 'unit 7 pump')).toBe(true)
    expect(matches(device('a/pump'), 'unit 8')).toBe(false)
  })
  it('stand by line in the order of the configuration', () => expect(arrange([device('b/1'), device('a/1'), device('b/2')], 'line').map(g => g.devices.map(d => d.id))).toEqual([['b/1', 'b/2'], ['a/1']]))
  it('stand worst first where that is asked for', () => expect(arrange([device('a'), device('b', { state: 'offline' }), device('c', { state: 'slow' })], 'worst')[0].devices.map(d => d.id)).toEqual(['b', 'c', 'a']))
})

describe('a write', () => {
  const point = (more: Partial<Point> = {}) => ({ name: 'p', type: 'uint16', unit: '°C', value: 20, writable: { minimum: 0, maximum: 90, step: null }, ...more }) as Point
  it('refuses what is no number, outside, or the same', () => {
    expect(draft(point(), 'hot').error).toMatch(/number/)
    expect(draft(point(), '').error).toMatch(/number/)
    expect(draft(point(), '91').error).toMatch(/0 to 90/)
    expect(draft(point(), '20').error).toMatch(/present/)
  })
  it('takes a comma, a true minus, a switch', () => {
    expect(draft(point(), '21,5').value).toBe(21.5)
    expect(draft(point({ writable: { minimum: null, maximum: null, step: null } }), '−3').value).toBe(-3)
    expect(draft(point({ type: 'bool', value: false }), 'true').value).toBe(true)
  })
})

describe('frames', () => {
  const frame = { bytes: '01 03 0B D3', summary: 'read 6 holding registers', unit: 1, function: 3, error: null } as Frame
  it('are found by words, fields and bytes however they are spaced', () => {
    expect(['holding', 'unit:1', 'fn:3 read', '0bd3', '03 0b'].map(text => frameFilter(text, false)(frame))).toEqual([true, true, true, true, true])
    expect(['unit:2', 'fn:4', 'ffff', 'coil'].map(text => frameFilter(text, false)(frame))).toEqual([false, false, false, false])
    expect(frameFilter('', true)(frame)).toBe(false)
  })
  it('say their gap in its unit', () => expect([gap(null), gap(812), gap(38_140), gap(1_500_000)]).toEqual(['', '812 µs', '38.1 ms', '1.50 s']))
})

describe('log lines', () => {
  const line = { seq: 1, time: '', level: 'warn', source: 'modbus/main', event: 'device does not answer', fields: { device: 'main/m1' } } as LogLine
  const wanted = { level: 'debug', component: '', device: '', text: '', regex: false }
  it('say what is wrong with a regular expression and go on', () => {
    const { expression, error } = logs.expression({ text: '(', regex: true })
    expect(expression).toBeNull()
    expect(error).toBeTruthy()
  })
  it('take plain text as it is', () => expect(logs.expression({ text: 'a.b(', regex: false }).expression!.source).toBe('a\\.b\\('))
  it('are kept by level, component and device', () => {
    expect(logs.keeps({ ...wanted, level: 'error' })(line)).toBe(false)
    expect(logs.keeps({ ...wanted, component: 'modbus' })(line)).toBe(true)
    expect(logs.keeps({ ...wanted, component: 'mod' })(line)).toBe(false)
    expect(logs.keeps({ ...wanted, device: 'm1' })(line)).toBe(true)
  })
  it('are marked where they match', () => expect(logs.pieces('one two one', /one/gi).filter(piece => piece.marked)).toHaveLength(2))
  it('do not hang on an expression that matches nothing', () => expect(logs.pieces('abc', /x*/gi).map(piece => piece.text).join('')).toBe('abc'))
})

describe('after signing in', () => {
  it('one stays on the page that asked', () => expect(destination('/devices', '?q=a')).toBe('/devices?q=a'))
  it('a foreign address is not followed', () => {
    expect(['//evil.example', 'https://evil.example', '/\\evil.example', '/login'].map(next => destination('/login', `?next=${encodeURIComponent(next)}`))).toEqual(['/', '/', '/', '/'])
    expect(destination('/login', '?next=%2Flogs%3Flevel%3Dwarn')).toBe('/logs?level=warn')
  })
  it('waiting is said in seconds, then in minutes', () => expect([wait(29.2), wait(130)]).toEqual(['30 s', '2 min 10 s']))
})

describe('small things', () => {
  it('a beginning beats a part, a part beats letters in order', () => {
    expect(fit('al', 'Alerts')).toBeGreaterThan(fit('al', 'Main panel al'))
    expect(fit('dvc', 'Device health')).toBeGreaterThan(0)
    expect(fit('xyz', 'Alerts')).toBe(0)
  })
  it('a browser is known by two words', () => expect(browser('Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/120.0 Safari/537.36')).toBe('Chrome, Linux'))
})

describe('how sure an address is', () => {
  it('is told in whole words, for every word that the gateway knows', () => {
    const known = /kConfidences\{([^}]*)\}/.exec(readFileSync(`${process.cwd()}/../src/sources/modbus/device_setup.h`, 'utf8'))![1].match(/\w+/g)!
    expect(known).toHaveLength(4)
    for (const word of known) expect(en.history.sure[word]).toMatch(/ .* /)
  })
})

describe('the end of a session', () => {
  it('is that of one which is not used, and never promised as the latest', () => {
    const text = en.account.expires('4 Jan 18:00')
    expect(text).toMatch(/^If it is not used, this session ends on 4 Jan 18:00\./)
    expect(text).toContain('7 days')
  })
})

describe('what is shipped', () => {
  const read = (path: string) => readFileSync(`${process.cwd()}/${path}`, 'utf8')
  it('has a lock without addresses', () => expect(read('package-lock.json')).not.toContain('"resolved"'))
  it('names exact versions only', () => {
    const { dependencies, devDependencies } = JSON.parse(read('package.json')) as Record<string, Record<string, string>>
    for (const version of Object.values({ ...dependencies, ...devDependencies })) expect(version).toMatch(/^\d+\.\d+\.\d+$/)
  })
  it('carries the licence of everything in it', () => {
    const text = read('public/licences.txt')
    for (const name of ['@fontsource-variable/inter', '@fontsource-variable/jetbrains-mono', 'svelte', 'uplot', '@lucide/svelte', 'clsx', 'esm-env']) {
      const { version } = JSON.parse(read(`node_modules/${name}/package.json`)) as { version: string }
      expect(text).toContain(`${name} ${version}`)
    }
    expect(text).toContain('SIL OPEN FONT LICENSE Version 1.1')
  })
})
