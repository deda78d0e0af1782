// Where to go once signed in. The gateway may serve the login page under any address; then that one. A
// foreign address in ?next= is not followed.
export function destination(path: string, search: string): string {
  if (path !== '/login' && path !== '/login.html') return path + search
  const next = new URLSearchParams(search).get('next') ?? '/'
  return /^\/(?![/\\])/.test(next) && !next.startsWith('/login') ? next : '/'
}

export function wait(seconds: number): string {
  const s = Math.max(0, Math.ceil(seconds))
  if (s < 100) return `${s} s`
  return `${Math.floor(s / 60)} min ${s % 60} s`
}
