// Something fetched: what came last, what went wrong, whether it is being fetched. A failure keeps what
// was there, so that a page never empties itself.
import { ApiError } from '../api/http'

export class Loaded<T> {
  data = $state.raw<T | undefined>(undefined)
  error = $state.raw<ApiError | null>(null)
  busy = $state(false)
  at = $state(0)
  #ask: (signal: AbortSignal) => Promise<T>
  #running: AbortController | null = null

  constructor(ask: (signal: AbortSignal) => Promise<T>) {
    this.#ask = ask
  }

  reload = async (): Promise<void> => {
    this.#running?.abort()
    const mine = new AbortController()
    this.#running = mine
    this.busy = true
    try {
      const data = await this.#ask(mine.signal)
      if (this.#running !== mine) return
      this.data = data
      this.error = null
      this.at = Date.now()
    } catch (why) {
      if (this.#running !== mine || mine.signal.aborted) return
      this.error = ApiError.from(why)
    } finally {
      if (this.#running === mine) {
        this.busy = false
        this.#running = null
      }
    }
  }

  stop() {
    this.#running?.abort()
    this.#running = null
    this.busy = false
  }
}

// Fetches at once, again whenever what `ask` reads before its first await changes, and every `every_ms`
// while the page is looked at.
export function load<T>(ask: (signal: AbortSignal) => Promise<T>, options: { every_ms?: number; clear?: boolean } = {}): Loaded<T> {
  const loaded = new Loaded<T>(ask)
  $effect(() => {
    if (options.clear) loaded.data = undefined
    void loaded.reload()
    const timer = options.every_ms ? setInterval(() => !document.hidden && void loaded.reload(), options.every_ms) : undefined
    return () => {
      clearInterval(timer)
      loaded.stop()
    }
  })
  return loaded
}
