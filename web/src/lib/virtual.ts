// Which rows of a long list are on the screen. Rows have one height; browsers cap an element's height
// at some 16 million pixels, far above the 100 000 rows we hold.

export interface Window {
  first: number
  last: number // one past the end
  before: number // px above the first
  after: number // px below the last
}

export function visible(total: number, row: number, scrolled: number, height: number, spare = 4): Window {
  if (total <= 0 || row <= 0) return { first: 0, last: 0, before: 0, after: 0 }
  const first = Math.min(Math.max(0, Math.floor(scrolled / row) - spare), Math.max(0, total - 1))
  const last = Math.min(total, Math.ceil((scrolled + Math.max(height, row)) / row) + spare)
  return { first, last: Math.max(last, first), before: first * row, after: (total - Math.max(last, first)) * row }
}

// Where to scroll so that a row is seen whole; the present place when it is.
export function reveal(index: number, row: number, scrolled: number, height: number): number {
  const top = index * row
  if (top < scrolled) return top
  if (top + row > scrolled + height) return top + row - height
  return scrolled
}

// Where a key leads in a list, null for a key that means something else.
export function step(key: string, at: number, total: number, page: number): number | null {
  if (total === 0) return null
  const to = { ArrowDown: at + 1, ArrowUp: at < 0 ? 0 : at - 1, PageDown: at + page, PageUp: at - page, Home: 0, End: total - 1 }[key]
  return to === undefined ? null : Math.min(total - 1, Math.max(0, to))
}
