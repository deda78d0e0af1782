// Components in a made-up browser: what they say, how the keys move them.
import { flushSync, mount, unmount, createRawSnippet, type Component } from 'svelte'
import { afterEach, describe, expect, it, vi } from 'vitest'
import Age from '../src/ui/Age.svelte'
import Availability from '../src/charts/Availability.svelte'
import Health from '../src/pages/dashboard/Health.svelte'
import ErrorBox from '../src/ui/ErrorBox.svelte'
import Meter from '../src/charts/Meter.svelte'
import Segmented from '../src/ui/Segmented.svelte'
import Spark from '../src/charts/Spark.svelte'
import State from '../src/ui/State.svelte'
import Tabs from '../src/ui/Tabs.svelte'
import VirtualTable from '../src/ui/VirtualTable.svelte'
import { ApiError } from '../src/api/http'
import { chord } from '../src/shell/chord'
import { ours } from '../src/lib/router.svelte'
import { routeOf, routes } from '../src/routes'

let shown: Record<string, unknown> | null = null
function show<P extends Record<string, unknown>>(what: Component<P>, props: P): HTMLElement {
  document.body.innerHTML = ''
  shown = mount(what, { target: document.body, props })
  flushSync()
  return document.body
}
afterEach(() => {
  if (shown) void unmount(shown)
  shown = null
})
const press = (on: Element, key: string) => {
  on.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true }))
  flushSync()
}

describe('a state', () => {
  it('is told by word even where only its shape is seen', () => expect(show(State, { state: 'alarm', bare: true }).textContent).toContain('Alarm'))
})

describe('an age', () => {
  it('turns stale by itself', () => {
    const body = show(Age, { time: new Date(Date.now() - 60_000).toISOString(), stale_after_s: 30 })
    expect(body.querySelector('time')!.className).toContain('old')
    expect(body.textContent).toBe('60 s')
  })
  it('of nothing is a dash', () => expect(show(Age, { time: null }).textContent).toBe('–'))
})

describe('a segmented control', () => {
  const options = [{ value: 'a', text: 'A' }, { value: 'b', text: 'B' }]
  it('is a radio group with one tab stop, moved by arrows around its ends', () => {
    const onchange = vi.fn()
    const body = show(Segmented as unknown as Component<Record<string, unknown>>, { options, value: 'b', label: 'Which', onchange })
    const buttons = [...body.querySelectorAll('button')]
    expect(buttons.map(button => button.tabIndex)).toEqual([-1, 0])
    press(buttons[1], 'ArrowRight')
    expect(onchange).toHaveBeenCalledWith('a')
    expect(buttons[0].getAttribute('aria-checked')).toBe('true')
  })
})

describe('tabs', () => {
  it('move by arrows, Home and End', () => {
    const onchange = vi.fn()
    const body = show(Tabs as unknown as Component<Record<string, unknown>>, { tabs: ['a', 'b', 'c'].map(value => ({ value, text: value })), value: 'a', label: 'L', group: 'g', onchange })
    const list = body.querySelector('[role=tablist]')!
    press(list, 'ArrowLeft')
    press(list, 'End')
    press(list, 'ArrowRight')
    expect(onchange.mock.calls.flat()).toEqual(['c', 'c', 'b'])
  })
})

describe('a meter', () => {
  it('says its value and its state', () => {
    const meter = show(Meter, { value: 93.4, warn: 80, alarm: 92, label: 'Disk' }).querySelector('[role=meter]')!
    expect(meter.getAttribute('aria-valuetext')).toBe('93%, alarm')
  })
  it('of nothing stays empty', () => expect(show(Meter, { value: null, warn: 80, alarm: 92, label: 'T' }).querySelector('[role=meter]')!.getAttribute('aria-valuetext')).toBe('–'))
})

describe('availability', () => {
  it('tells full, partly and missing by height, and its mean in words', () => {
    const body = show(Availability, { values: [1, 0.5, 0, null], label: 'Pump' })
    const heights = [...body.querySelectorAll('rect')].map(rect => Number(rect.getAttribute('height')))
    expect(new Set(heights).size).toBe(4)
    expect(body.querySelector('svg')!.getAttribute('aria-label')).toBe('Pump: 50%')
  })
})

describe('a spark', () => {
  it('of nothing draws nothing', () => expect(show(Spark, { values: [] }).querySelectorAll('path')).toHaveLength(0))
})

describe('the health of the site', () => {
  const overview = { state: 'good', headline: 'All is well', reasons: [], uptime_s: 60, sources: [] }
  it('goes on ageing when nothing is heard any more, and says so', () => {
    const text = (stale: boolean) => show(Health as unknown as Component<Record<string, unknown>>, { overview, last_poll_s: 2, at: Date.now() - 20_000, stale }).textContent
    expect(text(true)).toMatch(/Not live: as of 20 s ago .* last poll 22 s ago/)
    expect(text(false)).toContain('last poll 2.0 s ago')
    expect(text(false)).not.toContain('Not live')
  })
})

describe('an error box', () => {
  it('says what failed and why, and asks again', () => {
    const onretry = vi.fn()
    const body = show(ErrorBox, { what: 'Registers cannot be read', error: new ApiError({ type: 'about:blank', title: 'Gone', status: 500, detail: 'The disk is full.' }), onretry })
    expect(body.textContent).toContain('The disk is full.')
    body.querySelector('button')!.click()
    expect(onretry).toHaveBeenCalled()
  })
})

describe('a long table', () => {
  const cell = createRawSnippet((row: () => { id: number }) => ({ render: () => `<span>${row().id}</span>` }))
  it('holds only the rows on the screen, with one tab stop, and opens the row the keys are at', () => {
    const onopen = vi.fn()
    const body = show(VirtualTable as unknown as Component<Record<string, unknown>>, {
      rows: Array.from({ length: 50_000 }, (_, id) => ({ id })), columns: [{ key: 'id', title: 'Id', width: '1fr' }], label: 'Rows', keyOf: (row: { id: number }) => row.id, max_height: '400px', onopen, cell,
    })
    const grid = body.querySelector('[role=grid]')!
    expect(grid.getAttribute('aria-rowcount')).toBe('50001')
    expect(body.querySelectorAll('[role=row]').length).toBeLessThan(60)
    expect(body.querySelectorAll('[tabindex="0"]')).toHaveLength(1)
    press(grid, 'ArrowDown')
    press(grid, 'ArrowDown')
    press(grid, 'Enter')
    expect(onopen).toHaveBeenCalledWith({ id: 1 })
  })
})

describe('keys of the portal', () => {
  const what = () => ({ palette: vi.fn(), keys: vi.fn(), theme: vi.fn(), find: vi.fn(), go: vi.fn(() => true) })
  const key = (name: string, more: KeyboardEventInit = {}, target: EventTarget = document.body) => {
    const event = new KeyboardEvent('keydown', { key: name, cancelable: true, ...more })
    Object.defineProperty(event, 'target', { value: target })
    return event
  }
  it('G and a letter within a moment change the page', () => {
    let now = 0
    const chords = what()
    const handle = chord(chords, () => now)
    handle(key('g'))
    now = 500
    handle(key('l'))
    now = 5000
    handle(key('l'))
    expect(chords.go.mock.calls).toEqual([['l']])
  })
  it('do nothing while something is typed, but Ctrl K', () => {
    const chords = what()
    const handle = chord(chords)
    const input = document.createElement('input')
    document.body.append(input)
    handle(key('?', {}, input))
    handle(key('k', { ctrlKey: true }, input))
    expect(chords.keys).not.toHaveBeenCalled()
    expect(chords.palette).toHaveBeenCalled()
  })
  it('have one letter for each page', () => {
    const letters = routes.map(route => route.letter)
    expect(new Set(letters).size).toBe(letters.length)
    expect(routeOf('/logs/')?.path).toBe('/logs')
    expect(routeOf('/nowhere')).toBeUndefined()
  })
})

describe('links', () => {
  const click = (html: string, more: MouseEventInit = {}) => {
    document.body.innerHTML = html
    const event = new MouseEvent('click', { bubbles: true, cancelable: true, ...more })
    Object.defineProperty(event, 'target', { value: document.querySelector('a') })
    return ours(event)
  }
  it('of the portal stay in the page, downloads and others do not', () => {
    expect(click('<a href="/logs?level=warn">x</a>')).toBe('/logs?level=warn')
    expect(click('<a href="/api/diag/bundle">x</a>')).toBeNull()
    expect(click('<a href="https://other.example/">x</a>')).toBeNull()
    expect(click('<a href="/logs" download>x</a>')).toBeNull()
    expect(click('<a href="/logs">x</a>', { ctrlKey: true })).toBeNull()
  })
})
