// One clock for all ages of the page: a tick a second, none while nobody looks.
import { createSubscriber } from 'svelte/reactivity'
import { serverNow } from './time'

const subscribe = createSubscriber(update => {
  const timer = setInterval(() => {
    if (!document.hidden) update()
  }, 1000)
  return () => clearInterval(timer)
})

export function now(): number {
  subscribe()
  return serverNow()
}
