// Keys of the whole portal: Ctrl K, "?", "/", and G followed by the letter of a page. Nothing while
// something is being typed or a window is open.

export interface Chords {
  palette(): void
  keys(): void
  theme(): void
  find(): void
  go(letter: string): boolean
}

const kWithin_ms = 1500

export function chord(what: Chords, now: () => number = () => performance.now()) {
  let pressed_g = -Infinity
  return (event: KeyboardEvent) => {
    if ((event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === 'k') {
      event.preventDefault()
      if (!document.querySelector('dialog[open]')) what.palette()
      return
    }
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return
    const at = event.target as HTMLElement | null
    if (at?.closest?.('input, textarea, select, [contenteditable=true], dialog[open]')) return
    const key = event.key.toLowerCase()
    if (now() - pressed_g < kWithin_ms) {
      pressed_g = -Infinity
      if (what.go(key)) event.preventDefault()
      return
    }
    if (key === 'g') pressed_g = now()
    else if (key === '?') what.keys()
    else if (key === 't') what.theme()
    else if (key === '/') {
      event.preventDefault()
      what.find()
    }
  }
}
