// The address is the state of the page: its path names the page, its query the period, the filter, the
// thing that is open. On the History API; a click on a link of ours stays in the page.

let path = $state(location.pathname)
let query = $state.raw(new URLSearchParams(location.search))

function read() {
  path = location.pathname
  query = new URLSearchParams(location.search)
}

export const route = {
  get path() {
    return path
  },
  get query() {
    return query
  },
}

export function go(to: string, options: { replace?: boolean } = {}): void {
  const before = location.pathname
  history[options.replace ? 'replaceState' : 'pushState'](null, '', to)
  read()
  if (location.pathname !== before) scrollTo(0, 0)
}

// The present path with some parts of its query changed; null removes one.
export function withQuery(change: Record<string, string | null>): string {
  const next = new URLSearchParams(query)
  for (const [key, value] of Object.entries(change)) {
    if (value === null || value === '') next.delete(key)
    else next.set(key, value)
  }
  const text = next.toString()
  return path + (text ? `?${text}` : '')
}
export function setQuery(change: Record<string, string | null>, options = { replace: true }): void {
  go(withQuery(change), options)
}

// Whether a click on this link is ours: same host, plain click, no download, no endpoint.
export function ours(event: MouseEvent): string | null {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return null
  const link = (event.target as Element | null)?.closest?.('a')
  if (!link || link.hasAttribute('download') || link.target || link.origin !== location.origin) return null
  if (link.pathname.startsWith('/api/') || link.pathname === '/licences.txt') return null
  if (link.hash && link.pathname === location.pathname && link.search === location.search) return null
  return link.pathname + link.search
}

export function startRouter(): void {
  addEventListener('popstate', read)
  document.addEventListener('click', event => {
    const to = ours(event)
    if (to === null) return
    event.preventDefault()
    if (to !== location.pathname + location.search) go(to)
  })
}
