// Following the newest line of a list. The browser moves a list by itself when its rows change; only a
// reader's hand (wheel, finger, key, scroll bar) may end the following.

const kHand_ms = 1500

export class Follower {
  #hand = -Infinity
  #at = 0
  #now: () => number

  constructor(now: () => number = () => performance.now()) {
    this.#now = now
  }

  touched = () => {
    this.#hand = this.#now()
  }

  toEnd(box: HTMLElement) {
    box.scrollTop = box.scrollHeight
    this.#at = box.scrollTop
    // Once more when the rows stand: a first layout may still have had the old ones.
    requestAnimationFrame(() => {
      if (this.#now() - this.#hand < kHand_ms) return
      box.scrollTop = box.scrollHeight
      this.#at = box.scrollTop
    })
  }

  // What a scroll event means: at the end (again), left by the reader, or nothing.
  scrolled(box: HTMLElement, follow: boolean, slack: number): 'end' | 'left' | null {
    const at_end = box.scrollTop + box.clientHeight >= box.scrollHeight - slack
    const by_hand = this.#now() - this.#hand < kHand_ms
    const up = box.scrollTop < this.#at - 2
    this.#at = box.scrollTop
    if (by_hand) this.#hand = this.#now()
    if (at_end) return 'end'
    if (!follow) return null
    if (by_hand) return up ? 'left' : null
    this.toEnd(box)
    return null
  }
}
