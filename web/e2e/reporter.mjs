// One line a test, the failures with what was wrong, and last `N passed, N failed, N skipped`.
export default async function* report(events) {
  const count = { ok: 0, FAIL: 0, skip: 0 }
  const failures = []
  const parents = []
  const began = Date.now()
  for await (const { type, data } of events) {
    if (type === 'test:start') {
      parents[data.nesting] = data.name
      parents.length = data.nesting + 1
    }
    if (type === 'test:stderr' || type === 'test:stdout') yield data.message
    if (type !== 'test:pass' && type !== 'test:fail') continue
    const failed = type === 'test:fail'
    // A suite fails with its tests; counted only when it is its own set-up that failed.
    const cause = data.details.error?.cause
    if (data.details.type === 'suite' && !(failed && data.details.error?.failureType === 'hookFailed')) continue
    const result = failed ? 'FAIL' : data.skip !== undefined ? 'skip' : 'ok'
    const name = [...parents.slice(0, data.nesting), data.name].join(': ')
    count[result] += 1
    yield `${result.padEnd(4)}  ${name}  ${(data.details.duration_ms / 1000).toFixed(2)} s${typeof data.skip === 'string' ? `  (${data.skip})` : ''}\n`
    if (failed) failures.push(`\n===== FAIL ${name}\n${cause?.stack ?? data.details.error?.stack ?? data.details.error}\n`)
  }
  yield `${failures.join('')}\nafter ${((Date.now() - began) / 1000).toFixed(1)} s\n`
  yield `${count.ok} passed, ${count.FAIL} failed, ${count.skip} skipped\n`
}
