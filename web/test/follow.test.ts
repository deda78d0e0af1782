// Who ends the following of a list: the reader's hand, never the browser.
import { describe, expect, it } from 'vitest'
import { Follower } from '../src/lib/follow'

const list = (scrollTop: number) => ({ scrollTop, clientHeight: 100, scrollHeight: 1000 }) as HTMLElement

describe('following', () => {
  it('goes on when the browser moved the list, and returns to the end', () => {
    const follower = new Follower(() => 0)
    const box = list(900)
    follower.scrolled(box, true, 20)
    box.scrollTop = 640
    expect(follower.scrolled(box, true, 20)).toBeNull()
    expect(box.scrollTop).toBe(1000)
  })
  it('ends when the reader scrolls up, and begins again at the end', () => {
    let now = 0
    const follower = new Follower(() => now)
    const box = list(900)
    follower.scrolled(box, true, 20)
    follower.touched()
    box.scrollTop = 600
    expect(follower.scrolled(box, true, 20)).toBe('left')
    now = 100
    box.scrollTop = 890
    expect(follower.scrolled(box, false, 20)).toBe('end')
  })
})
