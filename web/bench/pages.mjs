// What the pages cost a browser, on the real gateway and its simulated site: first paint, the main thread while values
// come, frames while a long table scrolls, memory after many page changes; at full speed and at a quarter of it.
// One JSON object a line, for bench/pages.py. Needs LIGHTSHIP_BIN.
import { chromium } from 'playwright-core'
import { startDaemon } from '../e2e/daemon.mjs'

const rounds = 5
const pages = ['Dashboard', 'Device health', 'Alerts', 'Diagnostics', 'Logs']
const pause = ms => new Promise(resolve => setTimeout(resolve, ms))
const median = list => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)]
const part = (list, share) => [...list].sort((a, b) => a - b)[Math.min(list.length - 1, Math.floor(list.length * share))]
const say = row => console.log(JSON.stringify(row))

const daemon = await startDaemon()
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  headless: true,
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--disable-dev-shm-usage', '--js-flags=--expose-gc'],
})

async function signedIn() {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, colorScheme: 'dark' })
  const page = await context.newPage()
  await page.goto(`${daemon.url}/login`)
  await page.getByLabel('User').fill(daemon.user)
  await page.getByLabel('Password', { exact: false }).first().fill(daemon.password)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('heading', { level: 1, name: 'Dashboard' }).waitFor()
  return context
}

// A tab of its own, with an empty cache and a processor that much slower.
async function tab(context, slower) {
  const page = await context.newPage()
  const tools = await context.newCDPSession(page)
  await tools.send('Network.enable')
  await tools.send('Network.setCacheDisabled', { cacheDisabled: true })
  await tools.send('Emulation.setCPUThrottlingRate', { rate: slower })
  await tools.send('Performance.enable')
  return { page, tools }
}

const figure = async (tools, name) => (await tools.send('Performance.getMetrics')).metrics.find(one => one.name === name).value

async function firstPaint(context, slower) {
  const times = []
  for (let round = 0; round < rounds; round++) {
    const { page } = await tab(context, slower)
    await page.goto(`${daemon.url}/`)
    await page.waitForFunction(() => performance.getEntriesByName('first-contentful-paint').length > 0)
    times.push(await page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0].startTime))
    await page.close()
  }
  return median(times)
}

async function busy(context, slower) {
  const { page, tools } = await tab(context, slower)
  await page.goto(`${daemon.url}/`)
  await page.getByRole('heading', { level: 1, name: 'Dashboard' }).waitFor()
  await pause(3000)
  const before = await figure(tools, 'TaskDuration'), seconds = 10
  await pause(seconds * 1000)
  const share = ((await figure(tools, 'TaskDuration')) - before) / seconds
  await page.close()
  return share * 100
}

// The frames of the lines are the longest table that this site has.
async function scrolling(context, slower) {
  const { page } = await tab(context, slower)
  await page.goto(`${daemon.url}/diagnostics?tab=buses`)
  await page.getByRole('grid', { name: 'Frames' }).getByRole('row').nth(5).waitFor()
  await pause(1500)
  const measured = await page.evaluate(async () => {
    const tallest = [...document.querySelectorAll('*')].filter(one => one.scrollHeight > one.clientHeight + 200 && /auto|scroll/.test(getComputedStyle(one).overflowY)).sort((a, b) => b.scrollHeight - a.scrollHeight)[0] ?? document.scrollingElement
    const frames = []
    let last = await new Promise(requestAnimationFrame)
    for (let n = 0; n < 120; n++) {
      tallest.scrollTop = (n * 97) % Math.max(1, tallest.scrollHeight - tallest.clientHeight)
      const now = await new Promise(requestAnimationFrame)
      frames.push(now - last)
      last = now
    }
    return { frames, rows: tallest.scrollHeight }
  })
  await page.close()
  return { p95: part(measured.frames, 0.95), height: measured.rows }
}

async function memory(context) {
  const { page, tools } = await tab(context, 1)
  await page.goto(`${daemon.url}/`)
  const heap = async () => {
    await tools.send('HeapProfiler.collectGarbage')
    return (await figure(tools, 'JSHeapUsedSize')) / 1e6
  }
  let after50 = 0
  for (let change = 1; change <= 200; change++) {
    const title = pages[change % pages.length]
    await page.getByRole('navigation').first().getByRole('link', { name: title, exact: false }).first().click()
    await page.getByRole('heading', { level: 1, name: title }).waitFor()
    if (change === 50) after50 = await heap()
  }
  const after200 = await heap()
  await page.close()
  return { after50, after200 }
}

try {
  const context = await signedIn()
  for (const [slower, paint, thread, frame] of [[1, 400, 3, 20], [4, 900, 15, 60]]) {
    const speed = slower === 1 ? 'full speed' : `1/${slower} of the processor`
    say({ name: `Pages, first paint of the dashboard, ${speed}`, ours: await firstPaint(context, slower), unit: 'ms', aim: paint, rounds })
    say({ name: `Pages, main thread busy on the live dashboard, ${speed}`, ours: await busy(context, slower), unit: '%', aim: thread })
    const scrolled = await scrolling(context, slower)
    say({ name: `Pages, a frame while the bus monitor scrolls (95 of 100), ${speed}`, ours: scrolled.p95, unit: 'ms', aim: frame, height_px: scrolled.height })
  }
  const heap = await memory(context)
  say({ name: 'Pages, heap after 200 page changes', ours: heap.after200, unit: 'MB', aim: 15 })
  say({ name: 'Pages, growth of the heap from 50 to 200 page changes', ours: (heap.after200 / heap.after50 - 1) * 100, unit: '%', aim: 10 })
} finally {
  await browser.close()
  await daemon.stop()
}
