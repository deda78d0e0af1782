// The sizes that portal-design promises, measured on what was built; over one of them the build fails.
// Gzip is the form that matters: browsers take brotli over TLS only.
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'

const dist = process.argv[2] ?? new URL('../dist/', import.meta.url).pathname
if (!existsSync(join(dist, '.vite/manifest.json'))) {
  console.error(`budget: nothing is built in ${dist}; run "npm run build" first`)
  process.exit(1)
}
const manifest = Object.assign({}, ...['manifest', 'login'].map(name => JSON.parse(readFileSync(join(dist, `.vite/${name}.json`), 'utf8'))))

const packed = file => {
  const raw = readFileSync(join(dist, file))
  return /\.woff2$/.test(file) ? raw.length : gzipSync(raw, { level: 9 }).length
}

// Every file that an entry needs before it can show itself; pages opened later have their own.
function closure(...entries) {
  const files = new Set()
  const seen = new Set()
  const walk = key => {
    if (seen.has(key)) return
    seen.add(key)
    const chunk = manifest[key]
    files.add(chunk.file)
    for (const file of [...(chunk.css ?? []), ...(chunk.assets ?? [])]) files.add(file)
    for (const next of chunk.imports ?? []) walk(next)
  }
  entries.forEach(walk)
  return [...files]
}
const sum = (files, pattern) => files.filter(file => pattern.test(file)).reduce((total, file) => total + packed(file), 0)
function everything(folder = '') {
  return readdirSync(join(dist, folder)).flatMap(name => {
    const path = join(folder, name)
    if (statSync(join(dist, path)).isDirectory()) return name === '.vite' ? [] : everything(path)
    return [path]
  })
}

const page = name => `src/pages/${name}/Page.svelte`
const home = closure('index.html', page('dashboard'))
const login = closure('login.html')
const js = /\.js$/
const css = /\.css$/
// The Latin font is fetched by every page, the extended one only where a letter of it is shown.
const first = files => sum(files, js) + sum(files, css) + sum(files, /inter-latin-wght/) + packed('index.html') + packed('boot.js') + packed('icon.svg')

const rows = [
  ['JS for / with shell', sum(home, js), 90],
  ['CSS for /', sum(home, css), 12],
  ['first load of /, everything', first(home), 180],
  ['JS and CSS for /login', sum(login, js) + sum(login, css) + packed('login.html') + packed('boot.js'), 25],
  ...['devices', 'alerts', 'diagnostics', 'logs', 'account'].map(name => [`JS for /${name} with shell`, sum(closure('index.html', page(name)), js), 110]),
  ['all files, compressed', everything().reduce((total, file) => total + packed(file), 0), 1000],
]

let over = false
for (const [what, bytes, budget_kb] of rows) {
  const bad = bytes > budget_kb * 1000
  over ||= bad
  console.log(`${what.padEnd(32)} ${(bytes / 1000).toFixed(1).padStart(7)} kB of ${String(budget_kb).padStart(4)}${bad ? '  OVER THE BUDGET' : ''}`)
}
if (over) process.exit(1)
