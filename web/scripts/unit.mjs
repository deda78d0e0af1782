// The front-end's own tests, counted: what Vitest finds, what svelte-check says, and the sizes of the build.
// The last line is `N passed, N failed, N skipped`. LIGHTSHIP_WEB_DIST: the built pages (dist/).
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const web = new URL('..', import.meta.url).pathname
const run = (...command) => {
  const done = spawnSync(process.execPath, command, { cwd: web, encoding: 'utf8', env: { ...process.env, NO_COLOR: '1' }, timeout: 300_000 })
  return { good: done.status === 0, said: `${done.stdout}${done.stderr}`.trimEnd() }
}
const count = { ok: 0, FAIL: 0, skip: 0 }
const tell = (result, name, said = '') => {
  count[result] += 1
  console.log(`${result.padEnd(4)}  ${name}${result === 'FAIL' ? `\n${said}` : ''}`)
}

const folder = mkdtempSync(join(tmpdir(), 'lightship-vitest-'))
const report = join(folder, 'report.json')
const tested = run('node_modules/vitest/vitest.mjs', 'run', '--reporter=json', `--outputFile=${report}`)
try {
  for (const file of JSON.parse(readFileSync(report, 'utf8')).testResults) {
    const before = count.FAIL
    for (const one of file.assertionResults) {
      tell({ passed: 'ok', failed: 'FAIL' }[one.status] ?? 'skip', one.fullName.trim(), one.failureMessages?.join('\n'))
    }
    if (file.status === 'failed' && count.FAIL === before) tell('FAIL', file.name, file.message)
  }
} catch {
  tell('FAIL', 'vitest', tested.said)
}
rmSync(folder, { recursive: true, force: true })

const checked = run('node_modules/svelte-check/bin/svelte-check', '--tsconfig', './tsconfig.json', '--fail-on-warnings')
tell(checked.good ? 'ok' : 'FAIL', 'types and accessibility warnings (svelte-check)', checked.said)
const sizes = run('scripts/budget.mjs', ...(process.env.LIGHTSHIP_WEB_DIST ? [process.env.LIGHTSHIP_WEB_DIST] : []))
tell(sizes.good ? 'ok' : 'FAIL', 'the sizes of portal-design', sizes.said)

console.log(`${count.ok} passed, ${count.FAIL} failed, ${count.skip} skipped`)
process.exit(count.FAIL ? 1 : 0)
